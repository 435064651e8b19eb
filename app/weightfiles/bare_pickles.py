"""Pickles without an archive, such as checkpoints from before PyTorch 1.6: refused, but looked into for a warning."""

import re

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges, read_start
from app.weightfiles.file_header import FileHeader
from app.weightfiles.pickle_program import run_program
from app.weightfiles.pytorch_names import UNREAD_DTYPES, UNREAD_KINDS
from app.weightfiles.pytorch_objects import CheckpointVocabulary

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_MOST_PROGRAMS = 8
_LOOKED_AT_BYTES = 1 << 20
"""What stands behind them is not looked at: the file is refused in any case."""
_PROTOCOL_START = re.compile(rb"\x80[\x00-\x05]")
_TYPED_START = re.compile(rb"\(?[ci][A-Za-z_][\w.]*\n[A-Za-z_]\w*\n|\([dl]|[}\]]q|\(?[}\]]\.?\Z|c_")
"""Protocols 0 and 1: a global, or an empty container."""


def looks_like_pickle(start: bytes) -> bool:
    """Whether a file begins as a pickle, of any protocol."""
    return bool(_PROTOCOL_START.match(start) or _TYPED_START.match(start))


def read_header(ranges: ByteRanges) -> FileHeader:
    """No header: pickles are refused, and if one would run code when opened, what it names is told.

    Raises:
        WeightFileError: `pytorch.unsafe-global`, `pytorch.legacy` or `file.pickle`.
    """
    if _is_legacy(read_start(ranges, _LOOKED_AT_BYTES)):
        raise WeightFileError("pytorch.legacy")
    raise WeightFileError("file.pickle")


def _is_legacy(content: bytes) -> bool:
    """Whether the first of the programs that follow one another gives PyTorch's number; the others are run as well."""
    is_legacy = False
    at = 0
    try:
        for index in range(_MOST_PROGRAMS):
            value, at = run_program(content, _Onlooker(), at)
            is_legacy = is_legacy or (index == 0 and value == _LEGACY_MAGIC)
    except WeightFileError as error:  # also where the programs end and the numbers begin
        if error.code == "pytorch.unsafe-global":
            raise
    return is_legacy


class _Onlooker(CheckpointVocabulary):
    """Knows the same names, and takes no notice of what is asked for."""

    def find(self, module: str, name: str) -> object:
        is_harmless = f"{module}.{name}" in {*UNREAD_KINDS, *UNREAD_DTYPES}
        return None if is_harmless else super().find(module, name)

    def call(self, function: object, arguments: tuple[object, ...]) -> object:  # noqa: ARG002 - takes no notice
        return {}

    def load(self, identifier: object) -> object:  # noqa: ARG002
        return None

    def build(self, built: object, state: object) -> None:  # noqa: ARG002
        return
