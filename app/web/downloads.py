"""Sends a finished file: resumable by one byte range, never opened by the browser, named by us."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

CHUNK = 1 << 20
NAME_LIMIT = 100
_WEIGHTS_SUFFIX = re.compile(r"\.(?:safetensors|gguf|pt|pth|bin|ckpt|onnx|npy|npz|zip)$")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """From the first to the last byte, both included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


class RangeOutOfReach(Exception):
    """A range that begins behind the end of the file."""


def result_suffix(report: Mapping[str, Any]) -> str:
    """Of a compression's only file, by what its layout calls it: `.safetensors`, `.gguf` or `.onnx`."""
    files = report.get("files") or [{"name": "model.safetensors"}]
    return PurePath(files[0]["name"]).suffix


def download_name(shown_name: str, suffix: str) -> str:
    """A file name rebuilt from letters, digits, `.`, `_` and `-`: what was uploaded is never echoed into a header."""
    stem = _WEIGHTS_SUFFIX.sub("", shown_name)
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip(".-")[: NAME_LIMIT - len(suffix)]
    return (plain or "weights") + suffix


def file_response(request: Request, path: Path, *, name: str, size: int, sha256: str) -> Response:
    """The file, or the one range of it that was asked for.

    The ETag is the content's hash: a resumed download (`If-Range`) never joins two versions.
    """
    etag = f'"{sha256}"'
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Security-Policy": "sandbox",
        "Accept-Ranges": "bytes",
        "ETag": etag,
    }
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    is_same_version = request.headers.get("if-range", etag) == etag
    try:
        wanted = parse_range(request.headers.get("range", ""), size) if is_same_version else None
    except RangeOutOfReach:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    if wanted is None:
        return _stream(path, ByteRange(0, size - 1), 200, headers)
    headers["Content-Range"] = f"bytes {wanted.first}-{wanted.last}/{size}"
    return _stream(path, wanted, 206, headers)


def parse_range(header: str, size: int) -> ByteRange | None:
    """The single range of `bytes=a-b`, `bytes=a-` or `bytes=-n`; None for what is none, and then counts for nothing.

    Raises:
        RangeOutOfReach: it begins behind the end.
    """
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", header.strip(), re.ASCII)
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:
        wanted = ByteRange(max(0, size - int(last)), size - 1)
    elif last and int(last) < int(first):
        return None
    else:
        wanted = ByteRange(int(first), min(int(last), size - 1) if last else size - 1)
    if wanted.length <= 0:
        raise RangeOutOfReach
    return wanted


def _stream(path: Path, wanted: ByteRange, status: int, headers: Mapping[str, str]) -> Response:
    return StreamingResponse(
        _pieces(path, wanted),
        status_code=status,
        headers={**headers, "Content-Length": str(wanted.length)},
        media_type="application/octet-stream",
    )


async def _pieces(path: Path, wanted: ByteRange) -> AsyncIterator[bytes]:
    opened: BinaryIO = await to_thread.run_sync(path.open, "rb")
    with opened:
        await to_thread.run_sync(opened.seek, wanted.first)
        left = wanted.length
        while left:
            piece = await to_thread.run_sync(opened.read, min(CHUNK, left))
            if not piece:
                raise EOFError(f"{path.name} is shorter than its record says")
            left -= len(piece)
            yield piece
