"""The keys and values at the start of a GGUF file: checked, those of interest kept, the place of all remembered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import WeightFileError
from app.weightfiles.file_header import has_control
from app.weightfiles.gguf_bytes import UINT32, UINT64, HeaderBytes
from app.weightfiles.gguf_values import ValueReader
from app.weightfiles.strict_json import shown

MAX_KEYS = 65_536
MAX_KEY_BYTES = 1024
MAX_KEYS_BYTES = 4 << 20
"""Of all keys together."""
DEFAULT_ALIGNMENT = 32
ALIGNMENT = "general.alignment"
_LEAST_ALIGNMENT, _MOST_ALIGNMENT = 8, 65_536
_LEAST_ENTRY_BYTES = 8 + 1 + 4 + 1
"""A key of one byte with a value of one byte."""
_UINT32_TYPE = 4
"""gguf.h, `GGUF_TYPE_UINT32`."""
_REMEMBERED = frozenset(
    {ALIGNMENT, "general.file_type", "general.quantization_version", "split.no", "split.count", "split.tensors.count"}
)
"""Keys that a writer may have to replace."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What stands between the counts at the start and the list of tensors."""

    values: Mapping[str, Any]
    alignment: int
    begin: int
    end: int
    """Of all entries together, in the file."""
    spans: Mapping[str, tuple[int, int]]
    """Where entries lie that a writer may have to replace, by key."""


def read_metadata(source: HeaderBytes, count: int) -> Metadata:
    """The next `count` entries.

    Raises:
        WeightFileError: `gguf.*`.
    """
    if count > MAX_KEYS:
        raise WeightFileError("gguf.too-many-keys", count=count, limit=MAX_KEYS)
    if count * _LEAST_ENTRY_BYTES > source.left:
        raise WeightFileError("gguf.keys-past-end", count=count, bytes=source.left)
    begin, alignment, keys_bytes = source.offset, DEFAULT_ALIGNMENT, 0
    values: dict[str, Any] = {}
    spans: dict[str, tuple[int, int]] = {}
    reader = ValueReader(source)
    for _ in range(count):
        entry_begin = source.offset
        key = _key(source)
        keys_bytes += source.offset - entry_begin
        if key in values:
            raise WeightFileError("gguf.duplicate-key", key=shown(key))
        if keys_bytes > MAX_KEYS_BYTES:
            raise WeightFileError("gguf.keys-too-long", limit=MAX_KEYS_BYTES)
        value_type = source.number(UINT32)
        values[key] = reader.read(key, value_type)
        if key in _REMEMBERED:
            spans[key] = entry_begin, source.offset
        if key == ALIGNMENT:
            alignment = _alignment(values[key], value_type)
    return Metadata(values, alignment, begin, source.offset, spans)


def _key(source: HeaderBytes) -> str:
    position = source.offset
    length = source.number(UINT64)
    if not 0 < length <= MAX_KEY_BYTES:
        raise WeightFileError("gguf.key-length", position=position, length=length, limit=MAX_KEY_BYTES)
    found = source.take(length)
    try:
        key = found.decode("utf-8")
    except UnicodeDecodeError:
        raise WeightFileError("gguf.key-utf8", position=position, key=found[:20].hex(" ")) from None
    if has_control(key):
        raise WeightFileError("gguf.key-control", position=position, key=shown(key))
    return key


def _alignment(value: Any, value_type: int) -> int:
    """A power of two, as everywhere in GGUF.

    Raises:
        WeightFileError: `gguf.alignment-type`, `gguf.alignment`.
    """
    if value_type != _UINT32_TYPE:
        raise WeightFileError("gguf.alignment-type", key=ALIGNMENT)
    if not _LEAST_ALIGNMENT <= value <= _MOST_ALIGNMENT or value & value - 1:
        raise WeightFileError(
            "gguf.alignment", alignment=value, key=ALIGNMENT, lowest=_LEAST_ALIGNMENT, highest=_MOST_ALIGNMENT
        )
    return int(value)
