"""What the JSON API and `--json` say about a quantized matrix, and about the schemes there are.

Numbers of matrices are JSON numbers: each is a float32, which every reader of float64 gets back exactly.
"""

import math
from typing import Any

from torch import Tensor

from app.errors import AppError
from app.formats.bits import hex_digits
from app.metrics.error_sums import json_number
from app.schemes.entries import SchemeEntry
from app.schemes.registry import ENTRIES
from app.schemes.scheme import Storage
from app.tasks.leaderboard import Leaderboard, Standing
from app.tasks.quantize_slice import TensorSlice
from app.tasks.quantize_values import QuantizeAnswer, Quantized, QuantizedView
from app.tasks.scheme_words import scheme_text
from app.wording.say import say

Document = dict[str, Any]


def quantized_document(answer: QuantizeAnswer, view: QuantizedView) -> Document:
    """The document of `POST /api/v1/quantize` for one scheme.

    Raises:
        AppError: the scheme's refusal.
    """
    if view.refusal is not None:
        raise view.refusal
    assert view.quantized is not None
    assert view.entry is not None
    return {"values": _numbers(answer.values), "bytes_before": answer.bytes_before, **_scheme(view, view.quantized)}


def quantize_document(answer: QuantizeAnswer) -> Document:
    """The document of `bitlens quantize --json`: the matrix, and each scheme with its result or its `error`."""
    return {
        "values": _numbers(answer.values),
        "bytes_before": answer.bytes_before,
        "schemes": [
            refusal_document(view) if view.quantized is None else _scheme(view, view.quantized) for view in answer.views
        ],
    }


def refusal_document(view: QuantizedView) -> Document:
    """A scheme that does not take this matrix."""
    assert view.refusal is not None
    return {"scheme": view.choice.name, "error": error_document(view.refusal)}


def error_document(error: AppError) -> Document:
    """An error's code, its sentence and its figures."""
    return {"code": error.code, "message": say(error.code, error.figures), "detail": dict(error.figures)}


def _scheme(view: QuantizedView, found: Quantized) -> Document:
    entry = view.entry
    assert entry is not None
    return {
        "scheme": view.choice.name,
        "granularity": granularity_of(found),
        "scale": view.search or None,
        "search": view.search_name,
        "layout": entry.layout,
        "element": None if found.element is None else found.element.name,
        "codes": _codes(found),
        "levels": _numbers(found.elements.levels),
        "scales": _numbers(found.block_scales),
        "zero_points": None if found.block_offsets is None else _numbers(found.block_offsets),
        "dequantized": _numbers(found.dequantized),
        "error": error_figures(found),
        "bytes_after": -(-found.storage.total // 8),
        "storage": storage_document(found.storage),
        "bits_per_weight": float(found.storage.bits_per_weight),
    }


def granularity_of(found: Quantized) -> str | None:
    """What shares a scale, as the option is written; None where the layout fixes it."""
    partition = getattr(found.scheme, "partition", None)
    return None if partition is None else str(partition)


def _codes(found: Quantized) -> list[list[str]]:
    """In the element format where there is one, else as the layout writes them."""
    codes = found.elements.codes if found.element_codes is None else found.element_codes
    if found.element is None or found.element_codes is None:
        digits = -(-int(codes.max()).bit_length() // 4) or 1
    else:
        digits = hex_digits(found.element)
    return [[f"0x{code:0{digits}x}" for code in row] for row in codes.tolist()]


def error_figures(found: Quantized) -> Document:
    """The figures of the error; places are counted from 0."""
    figures, place = found.error.figures, found.max_error_cell
    return {
        **figures.to_json(),
        "max_error_at": None if place is None else list(place),
        "relative_frobenius": json_number(found.error.relative_frobenius),
        "clipped": found.clipped,
        "gap_db": json_number(found.gap_db),
    }


def storage_document(storage: Storage) -> Document:
    """Bits by what they are for."""
    return {
        "codes": storage.codes,
        "scales": storage.scales,
        "zero_points": storage.zero_points,
        "others": storage.others,
        "padding": storage.padding,
        "total": storage.total,
    }


def _numbers(values: Tensor) -> list[list[float | str]]:
    return [[each if math.isfinite(each) else str(each) for each in row] for row in values.tolist()]


def schemes_document() -> Document:
    """The document of `GET /api/v1/schemes`."""
    return {"schemes": [_entry(entry) for entry in ENTRIES.values()]}


def leaderboard_document(board: Leaderboard, found: TensorSlice | None = None) -> Document:
    """The document of `GET /api/v1/leaderboard` and `bitlens leaderboard --json`, the smallest gap first."""
    by_sqnr = {id(standing): rank for rank, standing in enumerate(board.by_sqnr(), 1)}
    return {
        "tensor": None if found is None else found.name,
        "shape": list(board.shape),
        "schemes": [
            {**_standing(standing), "rank_by_gap": rank, "rank_by_sqnr": by_sqnr[id(standing)]}
            for rank, standing in enumerate(board.ranked, 1)
        ],
        "refused": [
            {"scheme": scheme_text(each.choice), "error": error_document(each.refusal)}
            for each in board.refused
            if each.refusal is not None
        ],
    }


def _standing(standing: Standing) -> Document:
    assert standing.figures is not None
    assert standing.bits_per_weight is not None
    return {
        "scheme": scheme_text(standing.choice),
        "layout": standing.entry.layout,
        "bits_per_weight": float(standing.bits_per_weight),
        **standing.figures.to_json(),
        "gap_db": json_number(standing.gap_db),
    }


_JSON_NAMES = {"seed": "stochastic"}


def _entry(entry: SchemeEntry) -> Document:
    return {
        "name": entry.name,
        "family": entry.family,
        "layout": entry.layout,
        "element": entry.element or None,
        "options": sorted(_JSON_NAMES.get(option, option) for option in entry.options),
        "granularity": entry.granularities[0] if entry.granularities else None,
        "granularities": list(entry.granularities),
    }
