"""The report row of one tensor."""

from typing import Any

from app.metrics.error_sums import NO_ERROR, ErrorFigures
from app.schemes.casts import CastCounts
from app.tasks.compress_options import CompressOptions
from app.tasks.file_plan import TensorPlan

UNUSUAL_NAME = "note.unusual-name"
"""The id of a sentence: the name does not end in `.weight`, so loaders of the layout may not look for it."""


def kept_row(plan: TensorPlan) -> dict[str, Any]:
    """A tensor that was copied byte for byte."""
    assert plan.kept is not None
    return {
        **_row(plan),
        "kept": True,
        "reason": plan.kept.value,
        "stored_as": plan.entry.type.format,
        "scheme": None,
        "granularity": None,
        "note": None,
        **_outcome(NO_ERROR, CastCounts()),
    }


def compressed_row(
    plan: TensorPlan, options: CompressOptions, figures: ErrorFigures, counts: CastCounts
) -> dict[str, Any]:
    """A tensor that was compressed."""
    return {
        **_row(plan),
        "kept": False,
        "reason": None,
        "stored_as": stored_as(plan),
        "scheme": options.scheme,
        "granularity": options.granularity,
        "note": UNUSUAL_NAME if plan.has_unusual_name else None,
        **_outcome(figures, counts),
    }


def stored_as(plan: TensorPlan) -> str:
    """The format that the numbers are stored in; for packed codes, the layout and the scales' format."""
    first, *others = plan.stored
    return packed_text(others[0].format) if others else first.format


def packed_text(scale_format: str) -> str:
    """The layout of packed codes in a few words that need no translation."""
    return f"pack-quantized int8, {scale_format} scales"


def _row(plan: TensorPlan) -> dict[str, Any]:
    entry = plan.entry
    return {
        "name": entry.name,
        "dtype": entry.type.format,
        "shape": list(entry.shape),
        "bytes_before": entry.bytes,
        "bytes_after": plan.bytes_after,
        "bits_per_weight": plan.bytes_after * 8 / entry.elements if entry.elements else None,
    }


def _outcome(figures: ErrorFigures, counts: CastCounts) -> dict[str, Any]:
    return {**figures.to_json(), "saturated": counts.saturated, "overflowed": counts.overflowed}
