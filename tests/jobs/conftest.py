"""A data folder with its databases, and workers that are ended by their process id whatever happens."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.jobs import JobClient, jobs_url
from app.records import Records, new_id, records_url
from app.storage import LocalStorage, owner_key

HERE = Path(__file__).parent
PATIENCE = 90  # of a machine that has much else to do


class Place:
    """A data folder as web and worker share it, and the workers that this test started."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.records = Records(records_url(data_dir))
        self.storage = LocalStorage(data_dir)
        self.jobs = JobClient(jobs_url(data_dir))
        self.owner = self.records.owner_of(self.records.create_owner())
        self.workers = []

    def start_worker(self, handlers="fake_steps"):
        command = [sys.executable, str(HERE / "worker_program.py"), str(self.data_dir), handlers]
        environment = {**os.environ, "PYTHONPATH": str(HERE), "A_SECRET": "do not pass on"}
        log = (self.data_dir / "worker.log").open("ab")
        with log:
            worker = subprocess.Popen(command, env=environment, stderr=log, start_new_session=True)
        self.workers.append(worker)
        return worker

    def log(self):
        return (self.data_dir / "worker.log").read_text()

    def upload(self, data):
        file_id = new_id()
        key = owner_key(self.owner, file_id, "upload.safetensors")
        with self.storage.writer(key) as writer:
            writer.write(data)
            stored = writer.commit()
        return self.records.add_file(self.owner, "model", stored.bytes, stored.sha256, key, file_id=file_id)

    def start_job(self, file, **options):
        job = self.records.add_job(self.owner, file.id, options)
        self.jobs.start_compression(job.id, file.key, job.result_key, options)
        return job

    def steps_run(self, job):
        """What the fake handlers say that they were asked to do."""
        log = self.storage.path(job.result_key).parents[1] / f"{job.id}.log"
        return log.read_text().splitlines() if log.exists() else []

    def wait_until(self, condition, what="that"):
        ends = time.monotonic() + PATIENCE
        while not (value := condition()):
            assert time.monotonic() < ends, f"{what} did not happen\n{self.log()}"
            time.sleep(0.02)
        return value

    def wait_for(self, job_id):
        def ended():
            state = self.jobs.state(job_id)
            return state if state.state.is_final else None

        return self.wait_until(ended, "the end of the job")

    def children(self, worker):
        return [int(pid) for pid in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()] + [
            int(pid)
            for task in Path(f"/proc/{worker.pid}/task").iterdir()
            if task.name != str(worker.pid)
            for pid in (task / "children").read_text().split()
        ]

    def end(self):
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
                try:
                    worker.wait(10)
                except subprocess.TimeoutExpired:
                    worker.kill()
                    worker.wait()
        self.jobs.close()
        self.records.close()


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.end()


@pytest.fixture(scope="module")
def busy_place(tmp_path_factory):
    """One with a worker that the tests of a module share."""
    place = Place(tmp_path_factory.mktemp("data"))
    place.start_worker()
    yield place
    place.end()
