import os
import time

import pytest

from app.errors import NotFound
from app.jobs import State, WorkerOptions
from app.jobs.janitor import Janitor

HOUR = 3600
DATA = bytes(3000)


@pytest.fixture
def tidy(place):
    def run(**hours):
        options = WorkerOptions(data_dir=place.data_dir, **hours)
        Janitor(options, place.records, place.storage, place.jobs).round()

    return run


def make_old(path):
    old = time.time() - 2 * HOUR
    os.utime(path, (old, old))


def test_what_is_young_is_left_alone(place, tidy):
    file = place.upload(DATA)
    place.jobs.start_analysis(file.id, file.key)
    job = place.start_job(file)
    tidy()
    assert place.records.find_file(place.owner, file.id)
    assert place.storage.exists(file.key)
    assert place.jobs.unfinished_ids() == {file.id, job.id}


def test_uploads_and_results_expire_with_their_bytes(place, tidy):
    place.start_worker()
    file = place.upload(DATA)
    job = place.start_job(file)
    assert place.wait_for(job.id).state is State.DONE
    tidy(upload_hours=0)
    assert not place.storage.exists(file.key)
    with pytest.raises(NotFound):
        place.records.find_file(place.owner, file.id)
    assert place.storage.exists(job.result_key)
    tidy(result_hours=0)
    assert place.records.find_job(place.owner, job.id).expired_at
    assert not place.storage.path(job.result_key).parent.exists()
    assert place.jobs.state(job.id).state is State.EXPIRED


def test_what_an_unfinished_job_uses_is_never_removed(place, tidy):
    file, other = place.upload(DATA), place.upload(DATA)
    job = place.start_job(file)
    part = place.storage.prepare(job.result_key).with_name("result.safetensors.part")
    part.write_bytes(b"half")
    make_old(part)
    tidy(upload_hours=0, result_hours=0)
    assert place.storage.exists(file.key)
    assert part.exists()
    assert place.records.find_job(place.owner, job.id).expired_at is None
    assert not place.storage.exists(other.key)
    place.jobs.cancel(job.id)
    tidy(upload_hours=0, result_hours=0)
    assert not place.storage.exists(file.key)
    assert not part.exists()


def test_what_a_crash_left_behind_is_swept_after_an_hour(place, tidy):
    half = place.storage.writer("owners/o/half/upload.safetensors")
    half.write(b"half")
    orphan = "owners/o/orphan/upload.safetensors"
    with place.storage.writer(orphan) as writer:
        writer.write(b"whole, but never recorded")
        writer.commit()
    tidy()
    assert place.storage.exists(orphan)
    make_old(place.data_dir / "owners" / "o" / "half")
    tidy()
    half.write(b"an upload may take longer than that, as long as bytes arrive")
    for path in (place.data_dir / "owners" / "o").rglob("*"):
        make_old(path)
    tidy()
    assert not (place.data_dir / "owners" / "o").exists()
    half.abort()


def test_ended_jobs_that_nobody_can_ask_for_are_forgotten(place):
    file = place.upload(DATA)
    job, queued = place.start_job(file), place.start_job(file)
    place.jobs.cancel(job.id)
    place.jobs.forget_ended(time.time() - HOUR)
    assert place.jobs.state(job.id).state is State.CANCELLED
    place.jobs.forget_ended(time.time() + HOUR)
    assert place.jobs.state(job.id).state is State.EXPIRED
    assert place.jobs.state(queued.id).state is State.QUEUED


def test_what_was_recorded_but_never_queued_is_queued(place, tidy, monkeypatch):
    file = place.upload(DATA)
    job = place.records.add_job(place.owner, file.id, {})
    tidy()
    assert place.jobs.unfinished() == 0  # the web server may be about to do it
    monkeypatch.setattr("app.jobs.janitor._LATE_SECONDS", -1)
    tidy()
    assert place.jobs.unfinished_ids() == {file.id, job.id}
    place.start_worker()
    assert place.wait_for(file.id).state is place.wait_for(job.id).state is State.DONE
