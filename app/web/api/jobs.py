"""`/api/v1/jobs`: compressions, as JSON and as events."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.errors import InvalidInput
from app.tasks.compress_options import CompressOptions
from app.tasks.workspace import JobView
from app.web.api.documents import job_document
from app.web.downloads import download_name, file_response, result_suffix
from app.web.events import Stream, job_stream, watch
from app.web.owners import KnownOwner, known_owner
from app.web.services import workspace_of
from app.web.strict_json import read_object

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])


@router.post("", status_code=202)
async def start(request: Request) -> JSONResponse:
    """Starts a compression: `{"file": id, "scheme": "int4", ...}` with any of the command's options.

    Texts: `granularity scale mx_scale layout`; true or false: `symmetric double_quant signed_scales`; lists of texts:
    `include exclude set`. A job makes one file, so that `max_shard_size` is refused.
    """
    document = await read_object(request)
    file_id = document.pop("file", None)
    if not isinstance(file_id, str):
        raise InvalidInput("request.missing-parameter", name="file")
    options = CompressOptions.from_json(document)
    job_id = await to_thread.run_sync(_start, request, file_id, options)
    return JSONResponse({"id": job_id}, status_code=202, headers={"Location": f"/api/v1/jobs/{job_id}"})


def _start(request: Request, file_id: str, options: CompressOptions) -> str:
    return workspace_of(request).start_job(known_owner(request), file_id, options)


@router.get("")
def list_jobs(request: Request, owner: KnownOwner) -> dict[str, Any]:
    """The owner's jobs, newest first."""
    return {"jobs": [job_document(view) for view in workspace_of(request).jobs(owner)]}


@router.get("/{job_id}")
def read_job(job_id: str, request: Request, owner: KnownOwner) -> dict[str, Any]:
    """One job and how far it is."""
    return job_document(workspace_of(request).job(owner, job_id))


@router.get("/{job_id}/events", response_class=EventSourceResponse)
async def events(stream: Annotated[Stream[JobView], Depends(job_stream)]) -> AsyncIterator[ServerSentEvent]:
    """How far the job is, as it goes: the document of the job at once and on every change, then an event `done`."""
    async for view in watch(stream):
        if view is None:
            yield ServerSentEvent(event="done", data={})
        else:
            yield ServerSentEvent(data=job_document(view), id=stream.mark(view))


@router.delete("/{job_id}", status_code=204)
def end_job(job_id: str, request: Request, owner: KnownOwner) -> Response:
    """Cancels a job that is under way; removes one that has ended, with its result."""
    workspace_of(request).end_job(owner, job_id)
    return Response(status_code=204)


@router.get("/{job_id}/report")
def report(job_id: str, request: Request, owner: KnownOwner) -> dict[str, Any]:
    """Bytes before and after, and the error of each tensor."""
    return dict(workspace_of(request).report(owner, job_id))


@router.get("/{job_id}/download")
def download(job_id: str, request: Request, owner: KnownOwner) -> Response:
    """The compressed file; one byte range at a time may be asked for."""
    workspace = workspace_of(request)
    result = workspace.result(owner, job_id)
    scheme = workspace.job(owner, job_id).record.options["scheme"]
    suffix = result_suffix(workspace.report(owner, job_id))
    name = download_name(result.source_name, f"-{scheme}{suffix}")
    return file_response(request, result.path, name=name, size=result.bytes, sha256=result.sha256)
