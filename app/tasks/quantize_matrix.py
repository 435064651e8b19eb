"""Reads the matrix of a request: each number is read exactly and rounded once, to float32."""

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from app.errors import InvalidInput, NumberSyntaxError, TooLarge
from app.exact import encode, parse
from app.formats import find_format
from app.tasks.quantize_request import MOST_TEXT, MOST_VALUES, CellMatrix, DrawnMatrix, MatrixSource, TypedMatrix
from app.tasks.quantize_samples import draw

_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,6})?", re.ASCII)
_BETWEEN_ROWS = re.compile(r"\]\s*,?\s*\[")
_SHOWN = 40


def read_matrix(source: MatrixSource) -> Tensor:
    """float32 `[rows, columns]`, finite and not empty.

    Raises:
        InvalidInput: `quantize.empty`, `quantize.ragged`, `quantize.number` (no number), `quantize.not-finite`, with
            the row and the column, counted from 1; `quantize.shape`, a generated matrix of no rows.
        TooLarge: `quantize.too-many`, `quantize.text-too-long`.
    """
    match source:
        case TypedMatrix():
            return _from_rows(split_text(source.text))
        case CellMatrix():
            return _from_rows(source.rows)
        case DrawnMatrix():
            if not (source.rows >= 1 and source.columns >= 1):
                raise InvalidInput("quantize.shape", rows=source.rows, columns=source.columns)
            _check_count(source.rows * source.columns)
            return draw(source)
        case _:
            _check_count(source.values.numel())
            return source.values


def split_text(text: str) -> list[list[str]]:
    """The numbers of a typed matrix as texts, row by row; rows without any are left out.

    Raises:
        TooLarge: `quantize.text-too-long`.
    """
    if len(text) > MOST_TEXT:
        raise TooLarge("quantize.text-too-long", limit=MOST_TEXT)
    stripped = text.strip()
    if stripped.startswith("["):
        stripped = _BETWEEN_ROWS.sub(";", stripped.replace("\n", " ")).lstrip("[ ").rstrip("] ")
    rows = (row.replace(",", " ").split() for row in re.split(r"[;\r\n]", stripped))
    return [row for row in rows if row]


def _check_count(count: int) -> None:
    if count > MOST_VALUES:
        raise TooLarge("quantize.too-many", count=count, limit=MOST_VALUES)


def _from_rows(rows: Sequence[Sequence[str]]) -> Tensor:
    if not rows or not rows[0]:
        raise InvalidInput("quantize.empty")
    _check_count(sum(map(len, rows)))
    columns = len(rows[0])
    for number, row in enumerate(rows, 1):
        if len(row) != columns:
            raise InvalidInput("quantize.ragged", row=number, length=len(row), columns=columns)
    texts = [text for row in rows for text in row]
    return _rounded(texts, columns).view(-1, columns)


def _rounded(texts: list[str], columns: int) -> Tensor:
    """float32 of each text. Python's float rounds a plain decimal correctly to float64; the way on to float32 is a
    second rounding, which can only err where float64 lies on the middle of two float32: those are read exactly."""
    is_plain = [_PLAIN.fullmatch(text) is not None for text in texts]
    doubles = torch.tensor(
        [float(text) if plain else 0.0 for text, plain in zip(texts, is_plain, strict=True)], dtype=torch.float64
    )
    singles = doubles.to(torch.float32)
    back = singles.to(torch.float64)
    towards = torch.where(doubles > back, torch.inf, -torch.inf).to(torch.float32)
    middle = (torch.nextafter(singles, towards).to(torch.float64) + back) / 2
    is_exact_needed = ~torch.tensor(is_plain) | ((doubles != back) & (middle == doubles)) | ~torch.isfinite(singles)
    for index in is_exact_needed.nonzero().flatten().tolist():
        singles[index] = _exactly(texts[index], index // columns + 1, index % columns + 1)
    return singles


def _exactly(text: str, row: int, column: int) -> float:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    try:
        code = encode(parse(text), find_format("float32")).code
    except NumberSyntaxError as error:
        raise InvalidInput("quantize.number", row=row, column=column, text=shown) from error
    number = float(torch.tensor(code - (code >> 31 << 32), dtype=torch.int32).view(torch.float32))
    if number - number != 0:
        raise InvalidInput("quantize.not-finite", row=row, column=column, text=shown)
    return number
