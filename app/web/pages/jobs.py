"""`/{language}/jobs/{id}`: a compression under way, then its report and its result."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import NotFound
from app.jobs.states import State
from app.tasks.workspace import JobView, Workspace
from app.web.downloads import download_name, result_suffix
from app.web.events import Stream, job_stream, watch
from app.web.fragments import render_fragment
from app.web.owners import KnownOwner
from app.web.pages.listing import scheme_text
from app.web.pages.progress import Progress, progress_of
from app.web.pages.report import Report, report_of
from app.web.quantities import size_text
from app.web.rendering import render
from app.web.services import workspace_of
from app.wording import Language, say

router = APIRouter(prefix="/{language}/jobs/{job_id}", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Download:
    """The result to take away."""

    href: str
    report_href: str
    name: str
    size: str
    sha256: str
    layout: str
    config: str
    """What loaders look for in the model's config.json, as JSON; empty where there is nothing."""


@dataclass(frozen=True, slots=True)
class JobPage:
    """The view of `job.html` and of `_job.html`, which it includes."""

    href: str
    file_href: str | None
    file_name: str
    scheme: str
    state: str
    progress: Progress
    refusal: str | None
    report: Report | None
    remarks: tuple[str, ...]
    """What is to be known of the whole result."""
    download: Download | None


@router.get("")
def show(language: Language, job_id: str, request: Request, owner: KnownOwner) -> Response:
    """The progress, then the report."""
    workspace = workspace_of(request)
    view = workspace.job(owner, job_id)
    report = workspace.report(owner, job_id) if view.state.state is State.DONE else None
    record, state = view.record, view.state
    page = JobPage(
        href=f"/{language}/jobs/{job_id}",
        file_href=_file_href(workspace, owner, record.file, language),
        file_name=record.file_name,
        scheme=scheme_text(record.options, language),
        state=state.state.value,
        progress=progress_of(state),
        refusal=say(state.error_code, state.error_figures, language) if state.error_code else None,
        report=report_of(report, request.query_params, language) if report else None,
        remarks=tuple(say(remark, {}, language) for remark in report.get("remarks", ())) if report else (),
        download=_download(view, report) if report else None,
    )
    return render(request, "job.html", page, partial="_job.html")


@router.post("/end")
def end(language: Language, job_id: str, request: Request, owner: KnownOwner) -> Response:
    """Cancels what is under way; removes what has ended."""
    workspace = workspace_of(request)
    was_final = workspace.job(owner, job_id).state.state.is_final
    workspace.end_job(owner, job_id)
    return RedirectResponse(f"/{language}/compress" if was_final else f"/{language}/jobs/{job_id}", status_code=303)


@router.get("/events", response_class=EventSourceResponse)
async def events(
    language: Language, request: Request, stream: Annotated[Stream[JobView], Depends(job_stream)]
) -> AsyncIterator[ServerSentEvent]:
    """The progress as HTML, then an event `done`."""
    async for view in watch(stream):
        if view is None:
            yield ServerSentEvent(event="done", raw_data="done")
        else:
            html = render_fragment(request, language, "_progress.html", progress_of(view.state))
            yield ServerSentEvent(raw_data=html, id=stream.mark(view))


def _file_href(workspace: Workspace, owner: str | None, file_id: str, language: Language) -> str | None:
    try:
        workspace.file(owner, file_id)
    except NotFound:
        return None
    return f"/{language}/files/{file_id}"


def _download(view: JobView, report: Mapping[str, Any]) -> Download:
    record = view.record
    href = f"/api/v1/jobs/{record.id}"
    return Download(
        href=f"{href}/download",
        report_href=f"{href}/report",
        name=download_name(record.file_name, f"-{record.options['scheme']}{result_suffix(report)}"),
        size=size_text(record.result_bytes or report["bytes_after"]),
        sha256=report["sha256"],
        layout=report["layout"],
        config=json.dumps(report["model_config"], indent=2) if report.get("model_config") else "",
    )
