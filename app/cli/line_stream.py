"""Lines from a byte stream, each answered by one line: bounded memory, and no answer waits for the next question."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

from app.errors import AppError, InvalidInput, NumberSyntaxError
from app.exact import LONGEST_TEXT
from app.wording import say

LONGEST_LINE = 4 * LONGEST_TEXT
"""Bytes of a line that are kept: those of the longest text, all of it beyond ASCII."""
_CHUNK = 1 << 16

Answer = Callable[[str], str]


def answer_lines(answer: Answer) -> int:
    """Answer standard input's lines on standard output; 1 if a line was refused, else 0.

    Raises:
        OSError: standard input or output is closed.
    """
    if sys.stdin is None or sys.stdout is None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    refused = False
    for lines in _batches(sys.stdin.buffer):
        texts = []
        for line in lines:
            try:
                texts.append(answer(_text(line)))
            except AppError as error:
                refused = True
                texts.append(f"error: {say(error.code, error.figures)}")
        if texts:
            sys.stdout.write("\n".join(texts) + "\n")
            sys.stdout.flush()
    return int(refused)


def _batches(stream: BinaryIO) -> Iterator[list[bytes | None]]:
    """The lines that have arrived whole, as soon as they have; None stands for one that is too long to be kept."""
    pending, is_lost = b"", False
    read = getattr(stream, "read1", stream.read)
    while chunk := read(_CHUNK):
        *whole, pending = (pending + chunk).split(b"\n")
        lines: list[bytes | None] = [line if len(line) <= LONGEST_LINE else None for line in whole]
        if lines and is_lost:
            lines[0], is_lost = None, False
        if len(pending) > LONGEST_LINE:
            pending, is_lost = b"", True
        yield lines
    if is_lost or pending:
        yield [None if is_lost or len(pending) > LONGEST_LINE else pending]


def _text(line: bytes | None) -> str:
    if line is None:
        raise InvalidInput("number.line-too-long", limit=LONGEST_TEXT)
    try:
        return line.removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        position = len(line[: error.start].decode())
        byte = f"0x{line[error.start]:02x}"
        raise NumberSyntaxError("number.not-utf8", position=position, place=position + 1, byte=byte) from None
