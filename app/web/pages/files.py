"""`/{language}/files/{id}`: what an uploaded file holds, and the form that makes it smaller."""

from collections.abc import AsyncIterator, Mapping
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.datastructures import FormData

from app.errors import AppError, NotFound
from app.tasks.workspace import FileView
from app.web.events import Stream, file_stream, watch
from app.web.failures import status_of
from app.web.fragments import render_fragment
from app.web.owners import KnownOwner, known_owner
from app.web.pages.compress_form import DEFAULT_FORM, CompressForm, compress_form, options_of
from app.web.pages.file_page import file_page
from app.web.pages.progress import progress_of
from app.web.pages.tensor_rows import tensor_address
from app.web.rendering import render
from app.web.services import workspace_of
from app.wording import Language, say

router = APIRouter(prefix="/{language}/files/{file_id}", include_in_schema=False)


@router.get("")
def show(language: Language, file_id: str, request: Request, owner: KnownOwner) -> Response:
    """What the file holds, at first as its header tells it."""
    if name := request.query_params.get("tensor"):  # where a tensor was shown before it had a page of its own
        outline = workspace_of(request).outline(owner, file_id)
        if outline is not None and name in outline.places:
            return RedirectResponse(tensor_address(f"/{language}/files/{file_id}", name), status_code=308)
    return _page(language, file_id, request, owner, compress_form())


@router.post("")
async def compress(language: Language, file_id: str, request: Request) -> Response:
    """Starts a compression and leads to it; what is wrong with the choice is said beside the form."""
    form = _chosen(await request.form(max_files=0, max_fields=20))
    try:
        job_id = await to_thread.run_sync(_start, request, file_id, form)
    except NotFound:
        raise
    except AppError as error:
        refusal = say(error.code, error.figures, language)
        return await to_thread.run_sync(_refused, language, file_id, request, form, refusal, status_of(error))
    return RedirectResponse(f"/{language}/jobs/{job_id}", status_code=303)


@router.post("/delete")
def delete(language: Language, file_id: str, request: Request, owner: KnownOwner) -> Response:
    """Removes the file now."""
    workspace_of(request).remove_file(owner, file_id)
    return RedirectResponse(f"/{language}/compress", status_code=303)


@router.get("/events", response_class=EventSourceResponse)
async def events(
    language: Language, request: Request, stream: Annotated[Stream[FileView], Depends(file_stream)]
) -> AsyncIterator[ServerSentEvent]:
    """The progress of the analysis as HTML, then an event `done`."""
    async for view in watch(stream):
        if view is None:
            yield ServerSentEvent(event="done", raw_data="done")
        else:
            html = render_fragment(request, language, "_progress.html", progress_of(view.analysis))
            yield ServerSentEvent(raw_data=html, id=stream.mark(view))


def _chosen(form: FormData) -> Mapping[str, str]:
    return {name: value for name in DEFAULT_FORM if isinstance(value := form.get(name, ""), str)}


def _start(request: Request, file_id: str, form: Mapping[str, str]) -> str:
    workspace, owner = workspace_of(request), known_owner(request)
    workspace.file(owner, file_id)
    return workspace.start_job(owner, file_id, options_of(form))


def _refused(
    language: Language, file_id: str, request: Request, form: Mapping[str, str], refusal: str, status: int
) -> Response:
    return _page(language, file_id, request, known_owner(request), compress_form(form, refusal), status)


def _page(
    language: Language, file_id: str, request: Request, owner: str | None, form: CompressForm, status: int = 200
) -> Response:
    workspace = workspace_of(request)
    view = workspace.file(owner, file_id)
    page = file_page(
        view,
        workspace.outline(owner, file_id),
        workspace.jobs(owner, file_id),
        rows=lambda places: workspace.tensor_figures(owner, file_id, places),
        known=0 if view.is_ready else workspace.count_known(owner, file_id),
        language=language,
        parameters=request.query_params,
        form=form,
    )
    return render(request, "file.html", page, partial="_file.html", status=status)
