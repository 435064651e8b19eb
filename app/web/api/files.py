"""`/api/v1/files` and `/api/v1/owners`: weight files of an owner, as JSON."""

from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.web.api.documents import file_document
from app.web.owners import KnownOwner, known_or_new_owner, remember_owner
from app.web.services import workspace_of
from app.web.uploads import receive_upload

router = APIRouter(prefix="/api/v1", tags=["files"])


@router.post("/owners", status_code=201)
def create_owner(request: Request) -> JSONResponse:
    """A new owner's secret, shown this once; send it as `Authorization: Bearer`."""
    secret = workspace_of(request).create_owner()
    return JSONResponse({"secret": secret}, status_code=201, headers={"Cache-Control": "no-store"})


@router.post("/files", status_code=201)
async def upload(request: Request) -> JSONResponse:
    """Stores a weight file, sent as the part `file` of a multipart body, and starts its analysis."""
    ownership = await to_thread.run_sync(known_or_new_owner, request)
    stored = await receive_upload(request, workspace_of(request), ownership.owner)
    location = f"/api/v1/files/{stored.record.id}"
    response = JSONResponse(file_document(stored), status_code=201, headers={"Location": location})
    remember_owner(request, response, ownership)
    return response


@router.get("/files")
def list_files(request: Request, owner: KnownOwner) -> dict[str, Any]:
    """The owner's files, newest first, without their analyses."""
    return {"files": [file_document(view) for view in workspace_of(request).files(owner)]}


@router.get("/files/{file_id}")
def read_file(file_id: str, request: Request, owner: KnownOwner) -> dict[str, Any]:
    """One file: header and statistics of each tensor once `state` is `ready`, until then the progress."""
    workspace = workspace_of(request)
    view = workspace.file(owner, file_id)
    return file_document(view, workspace.analysis(owner, file_id))


@router.get("/files/{file_id}/tensors")
def read_tensor(file_id: str, request: Request, owner: KnownOwner, name: str = "") -> dict[str, Any]:
    """One tensor: its row, and the figures behind it (binades, channels, outliers, entropy of every bit)."""
    return dict(workspace_of(request).tensor(owner, file_id, name))


@router.delete("/files/{file_id}", status_code=204)
def delete_file(file_id: str, request: Request, owner: KnownOwner) -> Response:
    """Removes a file now; results made from it stay."""
    workspace_of(request).remove_file(owner, file_id)
    return Response(status_code=204)
