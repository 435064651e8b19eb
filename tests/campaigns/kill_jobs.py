"""A long siege: workers and jobs' processes are killed at random moments while jobs run, for as long as it takes.

`python tests/campaigns/kill_jobs.py --kills 200` starts a supervised worker and a stream of jobs, sends SIGKILL to the
worker or to a job's process at random, and then checks what was promised: every job ends done, its result has the
sha256 that an undisturbed job gives, no process and no half-written file is left. Ends with status 1 otherwise.
"""

import argparse
import contextlib
import hashlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from app.jobs import JobClient, State, jobs_url, supervise_worker
from app.records import Records, new_id, records_url
from app.storage import LocalStorage, owner_key

HANDLERS = Path(__file__).parent.parent / "jobs"
STEP_SECONDS = 0.15
STEPS = 8
AT_A_TIME = 3
STUCK_SECONDS = 120


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--kills", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=None)
    given = arguments.parse_args()
    seed = given.seed if given.seed is not None else random.randrange(1 << 32)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        return Siege(Path(folder), random.Random(seed)).run(given.kills)


class Siege:
    def __init__(self, data_dir: Path, chance: random.Random) -> None:
        self.data_dir = data_dir
        self.chance = chance
        self.records = Records(records_url(data_dir))
        self.storage = LocalStorage(data_dir)
        self.jobs = JobClient(jobs_url(data_dir))
        self.owner = self.records.owner_of(self.records.create_owner()) or ""
        self.expected: dict[str, tuple[str, str]] = {}
        self.kills: Counter[str] = Counter()

    def run(self, kills: int) -> int:
        worker = [sys.executable, str(HANDLERS / "worker_program.py"), str(self.data_dir), "fake_steps"]
        started = time.monotonic()
        with supervise_worker({"PYTHONPATH": str(HANDLERS)}, worker, longest_pause=0.3) as supervisor:
            seen: set[int] = set()
            while self.kills.total() < kills:
                while self.jobs.unfinished() < AT_A_TIME:
                    self.start_job()
                time.sleep(self.chance.uniform(0, 3))
                seen |= self.kill_one(supervisor.pid)
            states = self.wait_for_all()
            seen |= {supervisor.pid, *children_of(supervisor.pid)}
        faults = self.faults(states, seen)
        seconds = time.monotonic() - started
        print(f"{dict(self.kills)} kills, {len(states)} jobs, {supervisor.starts} workers, {seconds:.0f} s")
        print("\n".join(faults) or "every job is done, every sha256 is right, nothing is left")
        return 1 if faults else 0

    def start_job(self) -> None:
        data = self.chance.randbytes(STEPS * 1000)
        file_id = new_id()
        key = owner_key(self.owner, file_id, "upload.safetensors")
        with self.storage.writer(key) as writer:
            writer.write(data)
            stored = writer.commit()
        self.records.add_file(self.owner, "model", stored.bytes, stored.sha256, key, file_id=file_id)
        job = self.records.add_job(self.owner, file_id, {"seconds": STEP_SECONDS})
        self.jobs.start_compression(job.id, key, job.result_key, job.options)
        reversed_steps = b"".join(data[at : at + 1000][::-1] for at in range(0, len(data), 1000))
        self.expected[job.id] = (hashlib.sha256(reversed_steps).hexdigest(), job.result_key)

    def kill_one(self, worker: int) -> set[int]:
        """Kills the worker, or, as often, one of its processes; gives all that were there."""
        processes = children_of(worker)
        is_worker = not processes or self.chance.random() < 0.5
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker if is_worker else self.chance.choice(processes), signal.SIGKILL)
            self.kills["worker" if is_worker else "process"] += 1
        return {worker, *processes}

    def wait_for_all(self) -> dict[str, State]:
        ends = time.monotonic() + STUCK_SECONDS
        while self.jobs.unfinished() and time.monotonic() < ends:
            time.sleep(0.1)
        return {job_id: state.state for job_id, state in self.jobs.states(list(self.expected)).items()}

    def faults(self, states: dict[str, State], seen: set[int]) -> list[str]:
        faults = [f"job {job_id} is {state}" for job_id, state in states.items() if state is not State.DONE]
        for job_id, (sha256, key) in self.expected.items():
            found = hashlib.sha256(self.storage.path(key).read_bytes()).hexdigest() if self.storage.exists(key) else ""
            report = self.records.report(job_id) or {}
            if not found == sha256 == report.get("sha256"):
                faults.append(f"job {job_id}: the result is not what it should be")
        faults += [f"process {pid} is left" for pid in sorted(seen) if is_alive(pid)]
        faults += [f"{path} is left" for path in self.data_dir.rglob("*.part")]
        self.jobs.close()
        self.records.close()
        return faults


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


if __name__ == "__main__":
    sys.exit(main())
