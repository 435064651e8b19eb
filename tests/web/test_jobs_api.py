"""Jobs over JSON: strict bodies, states, ends."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.jobs.states import JobState, State


def start(client: TestClient, file_id: str, **options: Any) -> Any:
    return client.post("/api/v1/jobs", json={"file": file_id, "scheme": "bfloat16", **options})


def test_from_queued_to_cancelled(client: TestClient, scene: Any) -> None:
    answer = start(client, scene.analysed(client), scheme="int8", granularity="tensor", exclude=["*.head*"])
    assert answer.status_code == 202
    job_id = answer.json()["id"]
    assert answer.headers["location"] == f"/api/v1/jobs/{job_id}"
    job = client.get(f"/api/v1/jobs/{job_id}").json()
    assert (job["state"], job["error"], job["progress"]) == ("queued", None, {"done": 0, "total": 0, "tensor": ""})
    assert job["options"]["exclude"] == ["*.head*"]
    scene.jobs.known[job_id] = JobState(State.RUNNING, done=5, total=16, tensor="layer.weight")
    assert client.get(f"/api/v1/jobs/{job_id}").json()["progress"] == {"done": 5, "total": 16, "tensor": "layer.weight"}
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert client.get(f"/api/v1/jobs/{job_id}").json()["state"] == "cancelled"
    assert client.delete(f"/api/v1/jobs/{job_id}").status_code == 204
    assert client.get(f"/api/v1/jobs/{job_id}").status_code == 404


def test_a_failure_says_why(client: TestClient, scene: Any) -> None:
    job_id = start(client, scene.analysed(client)).json()["id"]
    scene.jobs.known[job_id] = JobState(State.FAILED, error_code="storage.full")
    error = client.get(f"/api/v1/jobs/{job_id}").json()["error"]
    assert error["code"] == "storage.full"
    assert "room" in error["message"] or "space" in error["message"] or "full" in error["message"]
    for language in ("en", "zh"):
        assert client.get(f"/{language}/jobs/{job_id}").status_code == 200


def test_a_file_must_have_been_read(client: TestClient, scene: Any) -> None:
    answer = start(client, scene.upload(client))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job.file-not-ready")


def test_a_full_queue_says_when_to_return(client: TestClient, scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file_id = scene.analysed(client)
    monkeypatch.setattr(scene.workspace, "_max_queued_jobs", 0)
    answer = start(client, file_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "job.queue-full")
    assert "retry-after" in answer.headers


def test_deleting_a_file_stops_what_reads_it(client: TestClient, scene: Any) -> None:
    file_id = scene.analysed(client)
    job_id = start(client, file_id).json()["id"]
    done = scene.finished(client)
    assert client.delete(f"/api/v1/files/{file_id}").status_code == 204
    assert job_id in scene.jobs.cancelled
    assert client.get(f"/api/v1/jobs/{job_id}").json()["state"] == "cancelled"
    assert client.delete("/api/v1/files/" + client.get(f"/api/v1/jobs/{done}").json()["file"]).status_code == 204
    assert client.get(f"/api/v1/jobs/{done}/download").content == b"result"


BODIES = {
    "nothing": (b"", "json.malformed"),
    "not json": (b"scheme=int8", "json.malformed"),
    "not utf-8": (b'{"file": "\xff"}', "json.malformed"),
    "half a character": (rb'{"file": "x", "scheme": "int8", "include": ["\ud800"]}', "json.malformed"),
    "half a character in a name": (rb'{"file": "x", "\ud800": 1}', "json.malformed"),
    "nan": (b'{"file": NaN}', "json.constant"),
    "infinity": (b'{"file": -Infinity}', "json.constant"),
    "twice": (b'{"file": "a", "file": "b"}', "json.duplicate-name"),
    "list": (b"[]", "json.not-object"),
    "text": (b'"x"', "json.not-object"),
    "deep": (b"[" * 60_000, "json.malformed"),
    "long integer": (b'{"file": ' + b"9" * 5000 + b"}", "json.malformed"),
    "no file": (b'{"scheme": "int8"}', "request.missing-parameter"),
    "file is a number": (b'{"file": 1e400}', "request.missing-parameter"),
    "scheme is a list": (b'{"file": "x", "scheme": []}', "options.type"),
    "scheme unknown": (b'{"file": "x", "scheme": "int9"}', "layout.none"),
    "option unknown": (b'{"file": "x", "scheme": "int8", "__class__": "y"}', "options.unknown"),
    "granularity unknown": (b'{"file": "x", "scheme": "int8", "granularity": "row"}', "scheme.granularity"),
    "granularity of a cast": (b'{"file": "x", "scheme": "float16", "granularity": "tensor"}', "scheme.option"),
    "shards of one file": (b'{"file": "x", "scheme": "int8", "max_shard_size": "5GB"}', "output.shards"),
    "patterns are numbers": (b'{"file": "x", "scheme": "int8", "include": [1]}', "options.type"),
    "too many patterns": (
        b'{"file": "x", "scheme": "int8", "include": [' + b'"a",' * 99 + b'"a"]}',
        "options.too-many-patterns",
    ),
}


@pytest.mark.parametrize(("body", "code"), BODIES.values(), ids=BODIES.keys())
def test_bodies(client: TestClient, body: bytes, code: str) -> None:
    answer = client.post("/api/v1/jobs", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("file_id", ["", ".", "..", "x" * 5000, "a/b", "\u0000", "💥", "%00", "' OR 1=1 --"])
def test_odd_ids(client: TestClient, scene: Any, file_id: str) -> None:
    scene.upload(client)
    answer = client.post("/api/v1/jobs", json={"file": file_id, "scheme": "int8"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "record.unknown")
