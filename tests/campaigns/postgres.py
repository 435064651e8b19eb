"""The web application and two workers on PostgreSQL, and what happens when a worker or the database server dies.

`python tests/campaigns/postgres.py` starts a private server in a temporary folder (skipped where PostgreSQL is not
installed), walks from an upload to a download through the API, kills the worker that is doing a second job with SIGKILL
and the database server during a third: both must end with the sha256 of the first. Ends with status 1 otherwise.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import httpx2
import numpy as np
import psycopg
from safetensors.numpy import save_file

TENSORS = 8  # of 40 MiB: each is a step of the job
PATIENCE = 60
AWAY_SECONDS = 3


def main() -> int:
    programs = find_programs()
    if programs is None:
        print("skipped: PostgreSQL's initdb and postgres are not installed")
        return 0
    with ExitStack() as stack:
        server = stack.enter_context(Server(*programs))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bitlens-")))
        bitlens = stack.enter_context(Bitlens(folder, server))
        server.make()
        bitlens.start()
        print(bitlens.show())
    return 0


def find_programs() -> tuple[str, str] | None:
    """initdb and postgres, on the path or where Debian puts them, the newest first."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, versions)])
    initdb, postgres = shutil.which("initdb", path=path), shutil.which("postgres", path=path)
    return (initdb, postgres) if initdb and postgres else None


class Processes:
    """Started here and ended here, each by its own id."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str], log: Path, **options: Any) -> "subprocess.Popen[bytes]":
        with log.open("ab") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, start_new_session=True, **options)
        self.started.append(process)
        return process

    def end(self, kind: signal.Signals) -> None:
        for process in reversed(self.started):
            if process.poll() is None:
                process.send_signal(kind)
        for process in self.started:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Server:
    """Listens on a socket in its own folder only. It refuses to run as root, which therefore lends it a user."""

    def __init__(self, initdb: str, postgres: str) -> None:
        self.initdb, self.postgres = initdb, postgres
        self.identity: dict[str, Any] = {}
        if os.geteuid() == 0:
            self.identity = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        self.processes = Processes()
        self.folder = Path(tempfile.mkdtemp(prefix="bitlens-pg-", dir="/tmp"))  # a socket's path is short
        self.data = self.folder / "data"

    def __enter__(self) -> Self:
        return self

    def make(self) -> None:
        if self.identity:
            shutil.chown(self.folder, "nobody", "nogroup")
        make = [self.initdb, "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
        subprocess.run(make, cwd=self.folder, check=True, capture_output=True, **self.identity)
        self.start()
        with self.connect("postgres", "postgres") as connection:
            connection.execute("CREATE ROLE bitlens LOGIN")
            connection.execute("CREATE DATABASE bitlens OWNER bitlens")

    def __exit__(self, *_: object) -> None:
        self.processes.end(signal.SIGINT)  # which is its "fast" shutdown
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        return f"postgresql://bitlens@/bitlens?host={self.folder}"

    def start(self) -> None:
        command = [self.postgres, "-D", str(self.data), "-k", str(self.folder), "-c", "listen_addresses="]
        self.process = self.processes.start(command, self.folder / "log", cwd=self.folder, **self.identity)
        wait_until(self.answers, "the database server")

    def die(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # at once, without a checkpoint: as after a crash
        self.process.wait(20)

    def connect(self, user: str = "bitlens", database: str = "bitlens") -> "psycopg.Connection[Any]":
        return psycopg.connect(host=str(self.folder), user=user, dbname=database, autocommit=True)

    def answers(self) -> bool:
        try:
            self.connect("postgres", "postgres").close()
        except psycopg.OperationalError:
            return False
        return True

    def count(self, table: str) -> int:
        with self.connect() as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608 - our tables
        return int(row[0]) if row else 0


class Bitlens:
    """The web application without a worker of its own, and two workers."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder, self.server = folder, server
        self.processes = Processes()

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data = {"BITLENS_DATA_DIR": str(self.folder / "data"), "BITLENS_DATABASE_URL": self.server.url}
        self.environment = {**os.environ, **data, "OMP_NUM_THREADS": "1"}
        web = ["-m", "uvicorn", "--factory", "app.main:create", "--port", str(port), "--log-level", "warning"]
        self.client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)
        self.run(web, "web")
        self.workers = [self.run(["-m", "app", "worker"], f"worker-{number}") for number in range(2)]
        wait_until(self.is_ready, "the web application")

    def __exit__(self, kind: object, *_: object) -> None:
        self.processes.end(signal.SIGTERM)
        if kind is not None:
            for log in sorted(self.folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text(errors='replace')[-4000:]}", file=sys.stderr)

    def run(self, arguments: list[str], name: str) -> "subprocess.Popen[bytes]":
        return self.processes.start([sys.executable, *arguments], self.folder / f"{name}.log", env=self.environment)

    def is_ready(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx2.TransportError:
            return False

    def show(self) -> str:
        secret = self.client.post("/api/v1/owners").json()["secret"]
        self.client.headers["Authorization"] = f"Bearer {secret}"
        assert self.client.get("/api/v1/files/%00").status_code == 404  # PostgreSQL's texts hold no NUL
        file_id = self.upload()
        undisturbed = self.finish(self.compress(file_id))
        job = self.compress(file_id)
        self.kill_busy_worker(job)
        after_worker = self.finish(job)
        job = self.compress(file_id)
        self.kill_server(job)
        after_server = self.finish(job)
        assert undisturbed == after_worker == after_server, (undisturbed, after_worker, after_server)
        assert (self.server.count("jobs"), self.server.count("dbos.workflow_status")) == (3, 4)
        assert not list((self.folder / "data").rglob("*.db"))
        return (
            "shown: records and job states in one PostgreSQL database; two workers; SIGKILL of the busy worker and a"
            f" crash of the database server in mid-job, each time the same result, sha256 {undisturbed[:16]}…"
        )

    def upload(self) -> str:
        random = np.random.default_rng(2)
        path = self.folder / "model.safetensors"
        save_file({f"layer.{n}.weight": random.random((4096, 2560), np.float32) for n in range(TENSORS)}, path)
        with path.open("rb") as file:
            answer = self.client.post("/api/v1/files", files={"file": (path.name, file)})
        assert answer.status_code == 201, answer.text
        file_id = str(answer.json()["id"])
        wait_until(lambda: self.client.get(f"/api/v1/files/{file_id}").json()["state"] == "ready", "the analysis")
        return file_id

    def compress(self, file_id: str) -> str:
        answer = self.client.post("/api/v1/jobs", json={"file": file_id, "scheme": "int8"})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def state(self, job_id: str) -> dict[str, Any]:
        answer = self.client.get(f"/api/v1/jobs/{job_id}")
        return dict(answer.json()) if answer.status_code == 200 else {"state": "unknown"}

    def wait_for_middle(self, job_id: str) -> None:
        def is_there() -> bool:
            state = self.state(job_id)
            assert state["state"] in {"queued", "running"}, f"too early or too late: {state}"
            progress = state["progress"]
            return 0.25 < progress["done"] / (progress["total"] or 1) < 0.75

        wait_until(is_there, "the middle of the job")

    def kill_busy_worker(self, job_id: str) -> None:
        self.wait_for_middle(job_id)
        busy = [worker for worker in self.workers if has_children(worker.pid)]
        assert len(busy) == 1, "one worker does the job"
        busy[0].kill()
        busy[0].wait()
        assert self.state(job_id)["state"] == "running"

    def kill_server(self, job_id: str) -> None:
        self.wait_for_middle(job_id)
        self.server.die()
        assert self.client.get("/readyz").status_code == 503
        time.sleep(AWAY_SECONDS)
        self.server.start()
        wait_until(self.is_ready, "the web application after the server's crash")

    def finish(self, job_id: str) -> str:
        """Waits for the end, fetches the result, and gives its sha256."""
        wait_until(lambda: self.state(job_id)["state"] not in {"queued", "running", "unknown"}, "the end of the job")
        assert self.state(job_id)["state"] == "done", self.state(job_id)
        sha256 = hashlib.sha256(self.client.get(f"/api/v1/jobs/{job_id}/download").content).hexdigest()
        assert sha256 == self.client.get(f"/api/v1/jobs/{job_id}/report").json()["sha256"]
        return sha256


def has_children(pid: int) -> bool:
    return any((task / "children").read_text().strip() for task in Path(f"/proc/{pid}/task").iterdir())


def wait_until(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, f"{what} did not come"
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
