"""Workers and processes that are killed in the middle: what was done stays done, and the bytes are the same."""

import contextlib
import hashlib
import os
import signal
import sqlite3
import time

import pytest

from app.jobs import State
from app.jobs.options import VERSION
from app.jobs.slots import Slots, executor_id

DATA = bytes(range(256)) * 20  # six steps
SHA256 = hashlib.sha256(b"".join(DATA[at : at + 1000][::-1] for at in range(0, len(DATA), 1000))).hexdigest()

EVERY_STEP = ["plan", *(f"compress {step}" for step in range(6)), "finish"]


def is_alive(pid):
    with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return file.read().rpartition(")")[2].split()[0] != "Z"
    return False


def test_a_killed_worker_goes_on_where_it_was(place):
    worker = place.start_worker()
    job = place.start_job(place.upload(DATA), seconds=0.3)
    place.wait_until(lambda: "compress 2" in place.steps_run(job), "the third step")
    children = place.children(worker)
    assert len(children) == 1
    worker.kill()
    worker.wait()
    place.wait_until(lambda: not is_alive(children[0]), "the end of the orphaned process")
    assert place.jobs.state(job.id).state is State.RUNNING
    before = place.steps_run(job)
    place.start_worker()
    assert place.wait_for(job.id).state is State.DONE
    assert place.records.report(job.id)["sha256"] == SHA256
    again = place.steps_run(job)[len(before) :]
    # What had been done was not done again, but for the step in which the worker died.
    assert again in (EVERY_STEP[3:], EVERY_STEP[4:])
    assert [row["value"] for row in place.records.report(job.id)["tensors"]] == [0, 1, 2, 3, 4, 5]


def test_stopping_a_worker_ends_its_processes_and_loses_nothing(place):
    worker = place.start_worker()
    job = place.start_job(place.upload(DATA), seconds=0.3)
    place.wait_until(lambda: "compress 1" in place.steps_run(job), "the second step")
    [child] = place.children(worker)
    asked = time.monotonic()
    worker.terminate()
    assert worker.wait(10) == 0
    assert time.monotonic() - asked < 2
    assert not is_alive(child)
    assert place.jobs.state(job.id).state is State.RUNNING
    place.start_worker()
    assert place.wait_for(job.id).state is State.DONE
    assert place.records.report(job.id)["sha256"] == SHA256


def test_a_process_killed_from_outside_is_started_again(place):
    worker = place.start_worker()
    job = place.start_job(place.upload(DATA), seconds=0.3)
    place.wait_until(lambda: "compress 1" in place.steps_run(job), "the second step")
    for child in place.children(worker):
        os.kill(child, signal.SIGKILL)
    assert place.wait_for(job.id).state is State.DONE
    assert place.records.report(job.id)["sha256"] == SHA256
    assert place.steps_run(job).count("plan") == place.steps_run(job).count("compress 0") == 1


def test_the_jobs_of_a_worker_that_does_not_come_back_are_taken_over(place):
    survivor, victim = place.start_worker(), place.start_worker()
    jobs = [place.start_job(place.upload(DATA), seconds=0.3) for _ in range(2)]
    place.wait_until(lambda: all("compress 1" in place.steps_run(job) for job in jobs), "both at work")
    victim.kill()
    victim.wait()
    for job in jobs:
        assert place.wait_for(job.id).state is State.DONE
        assert place.records.report(job.id)["sha256"] == SHA256
        assert place.steps_run(job).count("plan") == 1
    assert survivor.poll() is None


def test_slots_are_numbers_that_outlive_their_holders(tmp_path):
    tmp_path /= "data"
    first, second = Slots(tmp_path), Slots(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert (first.take(), second.take()) == (0, 1)
    assert executor_id(0) != executor_id(1)
    with first.dead() as dead:
        assert dead == []
    assert not first.is_alone()
    os.close(second._held.pop(1))  # what the kernel does when a process ends
    with first.dead() as dead:
        assert dead == [1]
        assert Slots(tmp_path).take() == 2  # nobody can take what is being tidied
    assert Slots(tmp_path).take() == 1


@pytest.mark.parametrize("status", ["ENQUEUED", "PENDING"])
def test_what_another_version_began_begins_anew(place, status):
    job = place.start_job(place.upload(DATA))
    database = sqlite3.connect(place.data_dir / "jobs.db")
    values = (status, "0.0.1", executor_id(0))
    database.execute("UPDATE workflow_status SET status = ?, application_version = ?, executor_id = ?", values)
    database.commit()
    place.start_worker()
    place.wait_until(lambda: place.jobs.state(job.id).state is State.DONE, "the end of the job")
    assert database.execute("SELECT application_version FROM workflow_status").fetchone() == (VERSION,)
    database.close()
    assert place.records.report(job.id)["sha256"] == SHA256
