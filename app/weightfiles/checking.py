"""The check of an uploaded file: its header only, with the standard library, quick to start in a process of its own.

`python -m app.weightfiles.checking PATH` prints one line of JSON and ends with 0; the caller reads the line.
"""

import contextlib
import json
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from app.errors import WeightFileError
from app.weightfiles.file_header import FileHeader
from app.weightfiles.source import open_source

CPU_SECONDS = 4
MEMORY_BYTES = 1 << 30
MOST_OUTLINE_BYTES = 4 << 20
"""Of text; longer headers are told by the analysis alone."""
_ROW_BYTES = 60
_VALUE_BYTES = 8


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What the check found."""

    kind: str
    tensors: int
    bytes: int


def check_file(path: str | os.PathLike[str]) -> FileSummary:
    """Checks every rule of the container.

    Raises:
        WeightFileError: the first rule that the file breaks, or that it cannot be read.
    """
    header = _header_of(path)
    return FileSummary(header.kind, len(header.tensors), header.file_bytes)


def _header_of(path: str | os.PathLike[str]) -> FileHeader:
    source = open_source(Path(path))  # a path, never an address
    source.close()
    return source.header


def _outline(header: FileHeader) -> dict[str, object]:
    """Names, formats, shapes and bytes, and the metadata, as far as they are worth being told on the spot."""
    entries = None
    if sum(len(entry.name) + _ROW_BYTES for entry in header.tensors) <= MOST_OUTLINE_BYTES:
        entries = [[entry.name, entry.type.format, list(entry.shape), entry.bytes] for entry in header.tensors]
    metadata = dict(header.metadata)
    return {"entries": entries, "metadata": metadata if _is_small(metadata) else None}


def _is_small(value: object) -> bool:
    """Whether a value would be a text of a bounded length; found out without writing it."""
    size = 0
    left = [value]
    while left and size <= MOST_OUTLINE_BYTES:
        found = left.pop()
        size += len(found) if isinstance(found, str) else _VALUE_BYTES
        if isinstance(found, dict):
            left += [*found, *found.values()]
        elif isinstance(found, (list, tuple)):
            left += found
    return size <= MOST_OUTLINE_BYTES


def _limit_self() -> None:
    """Bounds this process: no header is worth more time or memory than this."""

    def out_of_time(_signal: int, _frame: FrameType | None) -> None:
        raise WeightFileError("file.check-too-costly")

    signal.signal(signal.SIGXCPU, out_of_time)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(path: str) -> dict[str, object]:
    try:
        header = _header_of(path)
        outline = _outline(header)
    except WeightFileError as error:
        return _refusal(error.code, dict(error.figures))
    except MemoryError:
        return _refusal("file.check-too-costly", {})
    checked = {"kind": header.kind, "tensors": len(header.tensors), "bytes": header.file_bytes}
    return {"ok": True, **checked, **outline}


def _refusal(code: str, figures: dict[str, object]) -> dict[str, object]:
    return {"ok": False, "error": {"class": WeightFileError.__name__, "code": code, "figures": figures}}


def main(arguments: list[str]) -> int:
    """Checks the one file named on the command line and prints the answer."""
    with contextlib.suppress(ValueError, OSError):  # a stricter limit may be in force already
        _limit_self()
    sys.stdout.write(json.dumps(_answer(arguments[0])) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
