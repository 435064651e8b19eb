"""Receives a weight file: from the socket to storage in pieces, whatever its size."""

from collections.abc import AsyncIterator

import anyio
from anyio import to_thread
from starlette.requests import Request

from app.errors import AppError, InvalidInput
from app.tasks.upload import Upload
from app.tasks.workspace import FileView, Workspace
from app.web.multipart_file import MultipartFile

BUFFER = 1 << 20
DRAINED_BYTES = 64 << 20
DRAINED_SECONDS = 5


async def receive_upload(request: Request, workspace: Workspace, owner: str) -> FileView:
    """Stores the file of a multipart body, checks it, and starts its analysis.

    Whatever goes wrong on the way, a client that leaves included, nothing of it stays.
    """
    pieces = request.stream()
    try:
        part = MultipartFile(request.headers.get("content-type", ""))
        upload = await to_thread.run_sync(workspace.begin_upload, owner, _declared_bytes(request))
        try:
            await _store(pieces, part, upload)
            return await to_thread.run_sync(workspace.add_upload, owner, upload, part.name or "")
        finally:
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(upload.abort)
    except AppError:
        await _drain(pieces)
        raise


async def _store(pieces: AsyncIterator[bytes], part: MultipartFile, upload: Upload) -> None:
    buffer = bytearray()
    async for piece in pieces:
        for content in part.feed(piece):
            buffer += content
        if len(buffer) >= BUFFER:
            await to_thread.run_sync(upload.write, bytes(buffer))
            buffer.clear()
    if not part.complete:
        raise InvalidInput("upload.no-file" if part.name is None else "upload.incomplete")
    if not part.name:
        # A form whose file was not chosen sends an empty name.
        raise InvalidInput("upload.no-file")
    await to_thread.run_sync(upload.write, bytes(buffer))


def _declared_bytes(request: Request) -> int:
    """The body's length where it is told; a little more than the file's."""
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isdecimal() and len(declared) <= 18 else 0


async def _drain(pieces: AsyncIterator[bytes]) -> None:
    """Reads on for a little: a browser that is still sending would see a broken connection instead of our answer."""
    left = DRAINED_BYTES
    with anyio.move_on_after(DRAINED_SECONDS):
        async for piece in pieces:
            left -= len(piece)
            if left < 0:
                return
