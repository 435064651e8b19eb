"""Tensors of an ONNX model whose bytes lie in another file: where, said in text, checked before anything is opened."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.errors import WeightFileError
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.plain_names import is_plain_name
from app.weightfiles.strict_json import shown

_KEYS = {"location", "offset", "length", "checksum"}
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ExternalData:
    """The name of a file that must have come with the model, and the range in it; `length` None: to its end."""

    location: str
    offset: int
    length: int | None


def read_external(entries: Mapping[str, str], tensor: str) -> ExternalData:
    """The checked place of a tensor's bytes; `tensor` is its name as sentences quote it.

    Raises:
        WeightFileError: `onnx.external-*`.
    """
    for key in entries:
        if key not in _KEYS:
            raise WeightFileError("onnx.external-key", tensor=tensor, key=shown(key, 40))
    location = entries.get("location", "").removeprefix("./")
    if not is_plain_name(location):
        raise WeightFileError("onnx.external-path", tensor=tensor, location=shown(location))
    length = _number(entries, "length", tensor)
    return ExternalData(location, _number(entries, "offset", tensor) or 0, length)


def _number(entries: Mapping[str, str], key: str, tensor: str) -> int | None:
    text = entries.get(key)
    if text is None:
        return None
    if _NUMBER.fullmatch(text) is None:
        raise WeightFileError("onnx.external-number", tensor=tensor, key=key, text=shown(text, 40))
    return int(text)


def refuse_overlaps(tensors: Iterable[TensorEntry]) -> None:
    """Refuses tensors, given in the order of parts and bytes, of which two share bytes of another file.

    Raises:
        WeightFileError: `onnx.external-overlap`.
    """
    before: TensorEntry | None = None
    for entry in tensors:
        if before is not None and before.part == entry.part and entry.begin < before.end:
            raise WeightFileError("onnx.external-overlap", tensor=shown(entry.name), other=shown(before.name))
        if entry.bytes:
            before = entry
