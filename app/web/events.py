"""Streams of server-sent events: what is so now, then every change, until it ends or the stream is old."""

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import anyio
from anyio import to_thread
from fastapi import Header, Request

from app.errors import NotFound
from app.jobs.states import JobState
from app.tasks.workspace import FileView, JobView
from app.web.owners import KnownOwner
from app.web.services import services_of

POLL_SECONDS = 0.4
LONGEST_SECONDS = 15 * 60
"""A browser connects again by itself, so a stream that its reader has forgotten does not live for ever."""

View = TypeVar("View")


@dataclass(frozen=True, slots=True)
class Stream(Generic[View]):
    """What is watched: how to read it, where its progress is, and what the reader has seen already."""

    read: Callable[[], View]
    state_of: Callable[[View], JobState]
    seen: str | None

    def mark(self, view: View) -> str:
        """The event id: equal marks look the same to a reader."""
        state = self.state_of(view)
        return f"{state.state}.{state.step}.{state.done}"


async def watch(stream: Stream[View]) -> AsyncIterator[View | None]:
    """Each state that the reader has not seen, then None once nothing can change any more.

    Without that None the stream only grew old: the reader is to connect again.
    """
    seen, deadline = stream.seen, time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        try:
            view = await to_thread.run_sync(stream.read)
        except NotFound:
            yield None  # removed while it was watched
            return
        if stream.mark(view) != seen:
            seen = stream.mark(view)
            yield view
        if stream.state_of(view).state.is_final:
            yield None
            return
        await anyio.sleep(POLL_SECONDS)


LastEventId = Annotated[str | None, Header()]


async def job_stream(
    job_id: str, request: Request, owner: KnownOwner, last_event_id: LastEventId = None
) -> AsyncIterator[Stream[JobView]]:
    """The stream of a job, as a dependency: it holds one of the owner's places while it lasts.

    Raises:
        NotFound: `record.unknown`, before anything is sent.
        Busy: `stream.too-many`.
    """
    services = services_of(request)
    await to_thread.run_sync(services.workspace.job, owner, job_id)
    with services.streams.one_more(owner or ""):
        yield Stream(lambda: services.workspace.job(owner, job_id), lambda view: view.state, last_event_id)


async def file_stream(
    file_id: str, request: Request, owner: KnownOwner, last_event_id: LastEventId = None
) -> AsyncIterator[Stream[FileView]]:
    """The stream of a file's analysis, in the same way."""
    services = services_of(request)
    await to_thread.run_sync(services.workspace.file, owner, file_id)
    with services.streams.one_more(owner or ""):
        yield Stream(lambda: services.workspace.file(owner, file_id), lambda view: view.analysis, last_event_id)
