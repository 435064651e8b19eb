import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.jobs import supervise_worker

PROGRAM = "import os, sys; print(os.getpid(), flush=True); os.read(int(os.environ['BITLENS_SUPERVISOR_PIPE']), 1)"


def wait_until(condition):
    ends = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ignores_sigterm(pid):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return bool(int(status["SigIgn"], 16) >> (signal.SIGTERM - 1) & 1)


def test_a_worker_that_dies_is_started_again_and_ended_with_the_supervisor():
    with supervise_worker(command=[sys.executable, "-c", PROGRAM]) as supervisor:
        first = supervisor.pid
        assert supervisor.is_running
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: supervisor.starts == 2 and supervisor.is_running)
        second = supervisor.pid
        assert second != first
    assert not is_alive(second)
    assert not supervisor.is_running


def test_a_worker_that_cannot_start_is_tried_less_and_less_often():
    with supervise_worker(command=[sys.executable, "-c", "raise SystemExit(3)"]) as supervisor:
        time.sleep(2)
        assert 2 <= supervisor.starts <= 4  # pauses of 0.2, 0.4, 0.8 seconds


def test_a_worker_that_ignores_sigterm_is_killed(monkeypatch):
    monkeypatch.setattr("app.jobs.supervisor._PATIENCE", 0.3)
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    )
    supervisor = supervise_worker(command=[sys.executable, "-c", stubborn])
    wait_until(lambda: ignores_sigterm(supervisor.pid))
    supervisor.stop()
    assert not is_alive(supervisor.pid)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_server_is_killed(place, end):
    here = Path(__file__).parent
    worker = [sys.executable, str(here / "worker_program.py"), str(place.data_dir), "fake_steps"]
    server = (
        "import time; from app.jobs import supervise_worker\n"
        f"s = supervise_worker({{'PYTHONPATH': {str(here)!r}}}, {worker!r}); print(s.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", server], stdout=subprocess.PIPE) as process:
        try:
            worker_pid = int(process.stdout.readline())
            job = place.start_job(place.upload(bytes(5000)), seconds=5)
            place.wait_until(lambda: "compress 0" in place.steps_run(job), "the first step")
            [child] = [
                int(pid)
                for task in Path(f"/proc/{worker_pid}/task").iterdir()
                for pid in (task / "children").read_text().split()
            ]
            process.send_signal(end)
            process.wait()
            wait_until(lambda: not is_alive(worker_pid) and not is_alive(child))
        finally:
            process.kill()


def test_a_folder_called_app_where_the_server_was_started_is_not_taken_for_ours(tmp_path, monkeypatch):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    data_dir = tmp_path / "data"
    with supervise_worker({"BITLENS_DATA_DIR": str(data_dir)}) as supervisor:
        wait_until(lambda: (data_dir / "workers" / "0").exists() or supervisor.starts > 1)
        assert supervisor.starts == 1
