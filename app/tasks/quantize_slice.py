"""A part of a tensor of a weight file as a float32 matrix: `FILE:NAME[rows,columns]`, read by byte ranges."""

import re
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from app.errors import InvalidInput, NotFound, TooLarge
from app.layouts.weights import Weight, WeightReader, find_weights
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.strict_json import shown

_PLACE = re.compile(r"\[([0-9:]*)(?:,([0-9:]*))?\]$", re.ASCII)
_RANGE = re.compile(r"([0-9]{0,15}):([0-9]{0,15})|([0-9]{1,15})", re.ASCII)
MOST_SLICE_BYTES = 4 << 30
"""Of the matrix in float32."""


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """Where a matrix lies. An empty name stands for the largest tensor of at least two dimensions."""

    path: Path
    name: str = ""
    rows: str = ":"
    columns: str = ":"


@dataclass(frozen=True, slots=True)
class TensorSlice:
    """What was read."""

    name: str
    rows: range
    columns: range
    whole: tuple[int, int]
    """The tensor as a matrix: its first dimension, and all others together; one dimension is one row."""
    values: Tensor
    """float32 `[rows, columns]`, contiguous."""


def parse_place(text: str) -> TensorPlace:
    """`FILE`, `FILE:NAME` or `FILE:NAME[0:8,0:64]`; rows and columns as in Python, counted from 0, none from the end.

    Raises:
        InvalidInput: `quantize.slice`.
    """
    found = _PLACE.search(text) if ":" in text else None
    rows, columns = (found[1] or ":", found[2] or ":") if found else (":", ":")
    head = text[: found.start()] if found else text
    if not Path(head).exists() and ":" in head:
        # A file's name may hold colons as well: the longest part that is a file is the file.
        parts = head.split(":")
        for count in reversed(range(1, len(parts))):
            path = Path(":".join(parts[:count]))
            if path.exists() or count == 1:
                return TensorPlace(path, ":".join(parts[count:]), rows, columns)
    return TensorPlace(Path(head), "", rows, columns)


def read_slice(place: TensorPlace, most_values: int | None = None) -> TensorSlice:
    """The matrix; with `most_values` only as many of its first rows, and at least a part of one, as hold no more.

    Raises:
        NotFound: `quantize.no-tensor`.
        InvalidInput: `quantize.slice`, no rows and columns; `quantize.slice-outside`; `quantize.tensor-kind`, not
            numbers that a matrix could have.
        TooLarge: `quantize.slice-too-large`.
        WeightFileError: the file cannot be read, or breaks a rule of its container.
    """
    with WeightFile(place.path) as file:
        weight = _find(file, place)
        whole = (weight.shape[0], prod(weight.shape[1:])) if len(weight.shape) > 1 else (1, weight.elements)
        rows, columns = _range(place.rows, whole[0]), _range(place.columns, whole[1])
        if most_values is not None:
            columns = columns[:most_values]
            rows = rows[: max(1, most_values // max(1, len(columns)))]
        if not rows or not columns:
            raise InvalidInput("quantize.slice-outside", rows=whole[0], columns=whole[1])
        if len(rows) * len(columns) * 4 > MOST_SLICE_BYTES:
            raise TooLarge("quantize.slice-too-large", limit=MOST_SLICE_BYTES)
        values = _read(WeightReader(file), weight, whole[1], rows, columns)
        return TensorSlice(weight.name, rows, columns, whole, values)


def _find(file: WeightFile, place: TensorPlace) -> Weight:
    weights = find_weights(file)
    usable = [weight for weight in weights if weight.is_readable and weight.elements]
    if not place.name:
        matrices = [weight for weight in usable if len(weight.shape) > 1 and "float" in weight.format]
        if not matrices:
            raise NotFound("quantize.no-matrix")
        return max(matrices, key=lambda weight: weight.elements)
    found = next((weight for weight in weights if weight.name == place.name), None)
    if found is None:
        raise NotFound("quantize.no-tensor", name=shown(place.name))
    if found not in usable:
        raise InvalidInput("quantize.tensor-kind", name=shown(place.name), dtype=found.parts[0].type.name)
    return found


def _range(text: str, size: int) -> range:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise InvalidInput("quantize.slice", text=text[:40])
    if found[3]:
        return range(size)[int(found[3]) : int(found[3]) + 1]
    return range(size)[int(found[1] or 0) : int(found[2]) if found[2] else None]


def _read(reader: WeightReader, weight: Weight, width: int, rows: range, columns: range) -> Tensor:
    """Runs of whole rows where all columns are wanted, else a run in each row; in pieces of at most a chunk."""
    values = torch.empty(len(rows), len(columns), dtype=torch.float32)
    flat, most, at = values.view(-1), max(1, reader.chunk_elements(weight)), 0
    is_whole = len(columns) == width
    runs = (
        [(rows.start * width, len(rows) * width)]
        if is_whole
        else [(row * width + columns.start, len(columns)) for row in rows]
    )
    for start, length in runs:
        for done in range(0, length, most):
            count = min(most, length - done)
            flat[at : at + count] = reader.elements(weight, start + done, count).to(torch.float32)
            at += count
    return values
