"""Looks at tensors and what is told ahead of an analysis, through a real worker."""

import json
import os
import time

from app.jobs import State
from app.jobs.client import after_id
from app.jobs.looker import Looker
from app.jobs.process import ProcessPlan

DATA = bytes(range(7, 256)) * 20


def look(place, file, tensor, number):
    key = f"{file.key.rpartition('/')[0]}/look-{number}.json"
    look_id = place.jobs.start_look(f"{file.id}.{number}", file.key, key, {"tensor": tensor})
    return key, place.wait_for(look_id)


def test_looks_at_one_file_share_a_process_and_another_file_never_meets_it(busy_place):
    file, other = busy_place.upload(DATA), busy_place.upload(DATA)
    found = []
    for number, (where, tensor) in enumerate(((file, "a"), (file, "b"), (other, "c"), (file, "d"))):
        key, state = look(busy_place, where, tensor, number)
        assert state.state is State.DONE
        document = json.loads(busy_place.storage.path(key).read_bytes())
        assert document["tensor"] == tensor
        found.append(document["process"])
    assert found[0] == found[1]
    assert len({found[0], found[2], found[3]}) == 3
    assert busy_place.jobs.unfinished_looks() == 0


def test_a_refused_look_says_why_and_leaves_nothing(busy_place):
    file = busy_place.upload(DATA)
    key, state = look(busy_place, file, "bad", 0)
    assert (state.state, state.error_code) == (State.FAILED, "look.unreadable")
    assert not busy_place.storage.exists(key)
    assert look(busy_place, file, "good", 1)[1].state is State.DONE


def test_old_looks_are_forgotten(busy_place):
    file = busy_place.upload(DATA)
    folder = busy_place.storage.path(file.key).parent
    for number in range(70):
        path = folder / f"look-old{number}.json"
        path.write_text("{}")
        os.utime(path, (number, number))
    key, _ = look(busy_place, file, "a", 0)
    kept = {path.name for path in folder.glob("look-*.json")}
    assert len(kept) == 64
    assert key.rpartition("/")[2] in kept
    assert "look-old69.json" in kept
    assert "look-old6.json" not in kept
    assert busy_place.storage.exists(file.key)


def test_an_analysis_tells_its_parts_and_a_result_is_read_too(busy_place):
    file = busy_place.upload(DATA)
    busy_place.jobs.start_analysis(file.id, file.key)
    assert busy_place.wait_for(file.id).state is State.DONE
    assert json.loads(busy_place.records.outline(file.id)) == {"tensors": [{"name": "all"}]}
    assert busy_place.records.tensor(file.id, 0) == {"name": "all", "max": 7, "bits": None}
    job = busy_place.start_job(file, scheme="reverse")
    assert busy_place.wait_for(job.id).state is State.DONE
    assert busy_place.wait_for(after_id(job.id)).state is State.DONE
    first = busy_place.storage.path(job.result_key).read_bytes()[0]
    assert busy_place.records.result_tensor(job.id, "all")["max"] == first
    busy_place.records.remove_job(busy_place.owner, job.id)
    assert busy_place.records.result_tensor(job.id, "all") is None


def test_an_idle_process_ends_by_itself(tmp_path):
    looker = Looker(ProcessPlan("app.tasks.child", "tests.jobs.fake_steps", 4 << 30), idle_seconds=0.3)
    source = tmp_path / "source"
    source.write_bytes(DATA)
    arguments = {"source": str(source), "tensor": "a"}
    process = looker.look("one", "key", arguments, lambda: None)["process"]
    assert looker.look("two", "key", arguments, lambda: None)["process"] == process
    deadline = time.monotonic() + 30
    while os.path.exists(f"/proc/{process}") and time.monotonic() < deadline:  # noqa: PTH110
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{process}")  # noqa: PTH110
    assert looker.look("three", "key", arguments, lambda: None)["process"] != process
    looker.close()
