"""`/{language}/files/{id}/tensors`: one tensor of a file, and pictures of parts of it."""

import base64
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import Busy, NotFound
from app.jobs.states import JobState, State
from app.tasks.tensor_views import Look
from app.tasks.workspace import Workspace
from app.web.owners import KnownOwner
from app.web.pages.tensor_look import TensorLook, asked_window, tensor_look
from app.web.pages.tensor_page import tensor_page
from app.web.rendering import render
from app.web.services import workspace_of
from app.wording import Language

router = APIRouter(prefix="/{language}/files/{file_id}/tensors", include_in_schema=False)


@router.get("")
def show(language: Language, file_id: str, request: Request, owner: KnownOwner, name: str = "") -> Response:
    """All that is known of one tensor; its heat map is begun with the first look."""
    workspace = workspace_of(request)
    view = workspace.file(owner, file_id)
    tensor = workspace.tensor(owner, file_id, name)
    file_href = f"/{language}/files/{file_id}"
    look = _look(workspace, owner, file_id, tensor, request.query_params, f"{file_href}/tensors", language)
    page = tensor_page(tensor, look, file_href=file_href, file_name=view.record.name, language=language)
    return render(request, "tensor.html", page, partial="_tensor.html")


@router.get("/look.png")
def picture(file_id: str, request: Request, owner: KnownOwner, name: str = "") -> Response:
    """The picture of a window that has been looked at; grey levels, to be coloured by the page."""
    workspace = workspace_of(request)
    tensor = workspace.tensor(owner, file_id, name)
    window = asked_window(tensor["shape"], str(tensor["dtype"]), request.query_params)
    look = workspace.look(owner, file_id, name, window)
    if look.document is None:
        raise NotFound("record.unknown")
    return Response(base64.b64decode(look.document["png"]), media_type="image/png")


def _look(
    workspace: Workspace,
    owner: str | None,
    file_id: str,
    tensor: Mapping[str, Any],
    parameters: Mapping[str, str],
    href: str,
    language: Language,
) -> TensorLook | None:
    if not tensor["elements"] or tensor.get("zeros") is None:  # it has no numbers, or they are not known yet
        return None
    window = asked_window(tensor["shape"], str(tensor["dtype"]), parameters)
    try:
        look = workspace.look(owner, file_id, str(tensor["name"]), window)
    except Busy as error:
        look = Look(None, JobState(State.FAILED, error_code=error.code, error_figures=error.figures))
    return tensor_look(tensor, look, window, href, language)
