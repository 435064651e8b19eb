"""What a weight file's header tells, without reading one number: opened at once, however large the file is."""

import os
from typing import Any

from app.tasks.file_outline import Outlined, outline_document
from app.weightfiles.file_header import FileHeader, TensorEntry
from app.weightfiles.range_reader import WeightFile


def list_tensors(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The analysis document as far as it goes without statistics; tensors as they are stored.

    Raises:
        WeightFileError: the file breaks a rule of its container.
    """
    with WeightFile(path) as file:
        header = file.header
        outlined = map(_outlined, header.tensors)
        document = outline_document(header.kind, header.file_bytes, header.metadata, outlined)
        return {**document, **left_out(header)}


def left_out(header: FileHeader) -> dict[str, list[str]]:
    """The other files of weights in a folder, which its loader would not read either, if there are any."""
    names = header.details.get("left_out", ())
    return {"left_out": list(names)} if names else {}


def _outlined(entry: TensorEntry) -> Outlined:
    return Outlined(entry.name, entry.type.format, entry.shape, entry.bytes, entry.elements)
