"""Safetensors files made byte by byte."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Build = Callable[..., Path]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Writes a file: a header (an object, text or bytes), data, and if told another header length than the true one."""

    def write(header: object, data: bytes = b"", length: int | None = None) -> Path:
        if isinstance(header, bytes):
            text = header
        else:
            text = (header if isinstance(header, str) else json.dumps(header)).encode()
        size = len(text) if length is None else length
        path = tmp_path / "made.safetensors"
        path.write_bytes(size.to_bytes(8, "little") + text + data)
        return path

    return write
