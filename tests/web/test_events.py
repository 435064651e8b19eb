"""Progress as it goes: what is so now, then changes, then the end; a few streams for each owner."""

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.errors import Busy, NotFound
from app.jobs.states import JobState, State
from app.web import events
from app.web.events import Stream, watch
from app.web.stream_count import STREAMS_PER_OWNER, StreamCount

RUNNING = [JobState(State.RUNNING, done=done, total=10, tensor=f"t{done}") for done in (0, 0, 5, 10)]
ENDED = JobState(State.DONE, done=10, total=10)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """In a thread, since a browser's driver may hold this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def all_of(states: list[JobState], seen: str | None = None) -> list[JobState | None]:
    left = iter(states)

    def read() -> JobState:
        try:
            return next(left)
        except StopIteration:
            raise NotFound("record.unknown") from None

    return [state async for state in watch(Stream(read, lambda state: state, seen))]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "POLL_SECONDS", 0.001)


def test_each_change_once_and_then_the_end() -> None:
    assert run(all_of([*RUNNING, ENDED])) == [RUNNING[0], RUNNING[2], RUNNING[3], ENDED, None]


def test_a_reader_who_comes_back_sees_only_what_is_new() -> None:
    assert run(all_of([RUNNING[2], ENDED], seen="running.0.5")) == [ENDED, None]
    assert run(all_of([ENDED], seen="done.0.10")) == [None]


def test_what_was_removed_has_ended() -> None:
    assert run(all_of([RUNNING[0]])) == [RUNNING[0], None]


def test_an_old_stream_ends_without_saying_that_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "LONGEST_SECONDS", 0.02)
    assert run(all_of([RUNNING[0]] * 1000)) == [RUNNING[0]]


def test_places_are_given_back() -> None:
    count = StreamCount()
    for _ in range(3):
        held = [count.one_more("a") for _ in range(STREAMS_PER_OWNER)]
        for place in held:
            place.__enter__()
        with pytest.raises(Busy), count.one_more("a"):
            pass
        with count.one_more("b"):
            pass
        for place in held:
            place.__exit__(None, None, None)


def messages(text: str) -> list[dict[str, str]]:
    blocks = [
        block for block in text.replace("\r\n", "\n").split("\n\n") if block.strip() and not block.startswith(":")
    ]
    found = []
    for block in blocks:
        message: dict[str, str] = {}
        for line in block.split("\n"):
            name, _, value = line.partition(":")
            message[name] = message.get(name, "") + value.removeprefix(" ")
        found.append(message)
    return found


def test_events_of_a_finished_job(client: TestClient, scene: Any) -> None:
    job_id = scene.finished(client)
    answer = client.get(f"/api/v1/jobs/{job_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    first, last = messages(answer.text)
    assert json.loads(first["data"])["state"] == "done"
    assert last["event"] == "done"
    again = client.get(f"/api/v1/jobs/{job_id}/events", headers={"Last-Event-ID": first["id"]})
    assert [message["event"] for message in messages(again.text)] == ["done"]


def test_events_of_the_pages_are_html(client: TestClient, scene: Any) -> None:
    file_id = scene.analysed(client)
    job_id = scene.finished(client)
    for path in (f"/zh/files/{file_id}/events", f"/zh/jobs/{job_id}/events"):
        first, last = messages(client.get(path).text)
        assert first["data"].startswith("<progress")
        assert last["event"] == "done"


def test_an_unknown_job_is_refused_before_anything_is_sent(client: TestClient) -> None:
    answer = client.get("/api/v1/jobs/unknown/events", headers={"Last-Event-ID": "x" * 5000})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "record.unknown")
