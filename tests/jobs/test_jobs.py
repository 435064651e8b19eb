import hashlib
import json
import os
import time

import pytest

from app.jobs import State
from app.jobs.options import MIB
from app.storage import PART_SUFFIX

DATA = bytes(range(256)) * 20  # six steps
SHA256 = hashlib.sha256(b"".join(DATA[at : at + 1000][::-1] for at in range(0, len(DATA), 1000))).hexdigest()


def is_part_left(place, job):
    return place.storage.path(job.result_key + PART_SUFFIX).exists()


def test_a_compression_from_queue_to_report(busy_place):
    file = busy_place.upload(DATA)
    job = busy_place.start_job(file, scheme="reverse")
    busy_place.jobs.start_compression(job.id, file.key, job.result_key, {})  # asking twice does nothing
    state = busy_place.wait_for(job.id)
    assert (state.state, state.done, state.total, state.step, state.steps) == (State.DONE, 5120, 5120, 6, 6)
    assert state.started_at
    assert state.finished_at
    report = busy_place.records.report(job.id)
    assert (
        report["sha256"] == SHA256 == hashlib.sha256(busy_place.storage.path(job.result_key).read_bytes()).hexdigest()
    )
    assert [row["value"] for row in report["tensors"]] == [0, 1, 2, 3, 4, 5]
    assert busy_place.records.find_job(busy_place.owner, job.id).result_bytes == len(DATA)
    assert busy_place.steps_run(job) == ["plan", *(f"compress {step}" for step in range(6)), "finish"]
    assert not is_part_left(busy_place, job)


def test_an_analysis_is_kept_and_its_process_knows_no_secret(busy_place):
    file = busy_place.upload(DATA)
    busy_place.jobs.start_analysis(file.id, file.key)
    assert busy_place.wait_for(file.id).state is State.DONE
    document = busy_place.records.analysis(file.id)
    assert document["bytes"] == len(DATA)
    allowed = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"}
    assert set(document["environment"]) <= allowed | {"PYTHONPATH", "OMP_NUM_THREADS"}


def test_a_refused_file_is_marked_and_its_analysis_fails_with_exactly_that(busy_place):
    file = busy_place.upload(b"bad bytes")
    busy_place.jobs.start_analysis(file.id, file.key)
    state = busy_place.wait_for(file.id)
    assert (state.state, state.error_code, state.error_figures) == (State.FAILED, "file.bad", {"position": 3})
    refusal = busy_place.records.find_file(busy_place.owner, file.id).refusal
    assert (refusal.code, refusal.figures) == ("file.bad", {"position": 3})


@pytest.mark.parametrize(
    ("options", "code", "figures"),
    [
        ({"misbehaviour": "full"}, "storage.full", {}),
        ({"misbehaviour": "memory"}, "job.out-of-memory", {"limit": 8 * 1024}),
        ({"dies_in": 2, "deaths": 99}, "job.crashed", {"deaths": 3, "signal": "SIGKILL"}),
    ],
)
def test_a_job_that_cannot_be_done_fails_and_leaves_nothing(busy_place, options, code, figures):
    job = busy_place.start_job(busy_place.upload(DATA), **options)
    state = busy_place.wait_for(job.id)
    assert (state.state, state.error_code, state.error_figures) == (State.FAILED, code, figures)
    busy_place.wait_until(lambda: not is_part_left(busy_place, job), "tidying up")
    assert not busy_place.storage.exists(job.result_key)
    assert busy_place.records.report(job.id) is None


@pytest.mark.parametrize(("misbehaviour", "cause"), [("bug", "KeyError"), ("nan", "ValueError")])
def test_a_bug_is_logged_under_the_number_that_the_user_is_told(busy_place, misbehaviour, cause):
    job = busy_place.start_job(busy_place.upload(DATA), misbehaviour=misbehaviour)
    state = busy_place.wait_for(job.id)
    assert state.error_code == "job.internal"
    entry = busy_place.log().partition(f"internal error {state.error_figures['incident']}")[2]
    assert cause in entry.partition("internal error")[0]


def test_a_process_that_dies_is_started_again_in_the_same_step(busy_place):
    job = busy_place.start_job(busy_place.upload(DATA), dies_in=3, deaths=2)
    assert busy_place.wait_for(job.id).state is State.DONE
    assert busy_place.records.report(job.id)["sha256"] == SHA256
    counts = {line: busy_place.steps_run(job).count(line) for line in set(busy_place.steps_run(job))}
    assert counts.pop("compress 3") == 3
    assert set(counts.values()) == {1}


def test_progress_rises_and_names_what_is_being_done(busy_place):
    job = busy_place.start_job(busy_place.upload(DATA), seconds=0.2)
    seen = []
    while not (state := busy_place.jobs.state(job.id)).state.is_final:
        if state.steps:
            seen.append(state)
        time.sleep(0.01)
    assert [state.done for state in seen] == sorted(state.done for state in seen)
    assert {state.total for state in seen} == {len(DATA)}
    assert len({(state.done, state.step) for state in seen}) >= 3
    assert all(state.tensor == f"tensor {state.step - 1}" for state in seen if state.tensor)
    assert seen[-1].bytes_per_second > 0


def test_a_running_job_is_cancelled_within_seconds_even_if_its_process_resists(busy_place):
    job = busy_place.start_job(busy_place.upload(DATA), misbehaviour="endless")
    busy_place.wait_until(lambda: "compress 0" in busy_place.steps_run(job), "the first step")
    busy_place.wait_until(lambda: not busy_place.jobs.unfinished_looks(), "the end of what reads earlier results")
    [child] = busy_place.children(busy_place.workers[0])
    assert is_part_left(busy_place, job)
    asked = time.monotonic()
    busy_place.jobs.cancel(job.id)
    assert busy_place.jobs.state(job.id).state is State.CANCELLED
    busy_place.wait_until(lambda: not os.path.exists(f"/proc/{child}"), "the end of the process")  # noqa: PTH110
    busy_place.wait_until(lambda: not is_part_left(busy_place, job), "tidying up")
    assert time.monotonic() - asked < 6
    # And the worker is free for the next.
    assert busy_place.wait_for(busy_place.start_job(busy_place.upload(DATA)).id).state is State.DONE


def test_a_refused_or_cancelled_job_is_no_incident_in_the_log(place):
    worker = place.start_worker()
    refused = place.upload(b"bad bytes")
    place.jobs.start_analysis(refused.id, refused.key)
    place.wait_for(refused.id)
    job = place.start_job(place.upload(DATA), seconds=30)
    place.wait_until(lambda: "compress 0" in place.steps_run(job), "the first step")
    place.jobs.cancel(job.id)
    place.wait_until(lambda: not place.children(worker), "the end of the process")
    assert place.wait_for(place.start_job(place.upload(DATA)).id).state is State.DONE
    assert place.log() == ""


def test_a_queued_job_is_cancelled_at_once(place):
    job = place.start_job(place.upload(DATA))
    assert place.jobs.state(job.id).state is State.QUEUED
    assert (place.jobs.unfinished(), place.jobs.unfinished_ids()) == (1, {job.id})
    place.jobs.cancel(job.id)
    assert place.jobs.state(job.id).state is State.CANCELLED
    assert place.jobs.unfinished() == 0
    place.jobs.forget([job.id])
    assert place.jobs.state(job.id).state is State.EXPIRED


def test_nobody_knows_a_job_that_never_was(place):
    assert place.jobs.state("nothing").state is State.EXPIRED
    assert place.jobs.states([]) == {}
    place.jobs.cancel("nothing")


def test_limits_of_the_process(busy_place):
    # The process is told the size of its output, and can write no file that is much larger.
    job = busy_place.start_job(busy_place.upload(DATA), seconds=1)
    busy_place.wait_until(lambda: "compress 0" in busy_place.steps_run(job), "the first step")
    busy_place.wait_until(lambda: not busy_place.jobs.unfinished_looks(), "the end of what reads earlier results")
    [child] = busy_place.children(busy_place.workers[0])
    with open(f"/proc/{child}/limits") as file:  # noqa: PTH123
        limits = {line[:26].strip(): line[26:].split()[:2] for line in file}
    busy_place.jobs.cancel(job.id)
    assert limits["Max core file size"] == ["0", "0"]
    assert limits["Max file size"] == [str(len(DATA) + 64 * MIB)] * 2
    assert limits["Max address space"] == [str(8192 * MIB)] * 2


def test_states_are_json_in_the_database_and_never_pickles(busy_place):
    import sqlite3

    busy_place.wait_for(busy_place.start_job(busy_place.upload(DATA)).id)
    connection = sqlite3.connect(busy_place.data_dir / "jobs.db")
    texts = [
        text
        for query in (
            "SELECT inputs FROM workflow_input",
            "SELECT output FROM operation_outputs",
            "SELECT error FROM operation_outputs",
            "SELECT value FROM workflow_events",
        )
        for (text,) in connection.execute(query)
        if text is not None
    ]
    connection.close()
    assert len(texts) > 5
    for text in texts:
        json.loads(text)
