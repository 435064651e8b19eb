"""The report row of one tensor."""

from collections.abc import Mapping
from typing import Any

from app.layouts.writing import Outcome
from app.metrics.error_sums import NO_ERROR
from app.schemes.scheme import Scheme
from app.tasks.file_plan import TensorPlan


def tensor_row(plan: TensorPlan, outcome: Outcome, notes: Mapping[str, str]) -> dict[str, Any]:
    """A tensor that was compressed, or copied: then its reason says why."""
    weight = plan.weight
    figures = NO_ERROR if outcome.sums is None else outcome.sums.figures()
    return {
        **plan_row(plan, notes),
        "dtype": weight.format,
        "shape": list(weight.shape),
        **figures.to_json(),
        "saturated": outcome.saturated,
        "overflowed": outcome.overflowed,
    }


def plan_row(plan: TensorPlan, notes: Mapping[str, str]) -> dict[str, Any]:
    """What is known of a tensor beforehand."""
    weight, chosen, kept = plan.weight, plan.chosen, plan.kept
    elements = weight.elements
    return {
        "name": weight.name,
        "kept": kept is not None,
        "reason": None if kept is None else str(kept.reason),
        "reason_figures": None if kept is None or not kept.figures else dict(kept.figures),
        "stored_as": plan.coder.stored_as,
        "scheme": None if chosen is None else chosen.name,
        "options": None if chosen is None else chosen.text,
        "granularity": None if chosen is None else granularity_of(chosen.scheme()),
        "note": notes.get(weight.name),
        "source": None if weight.encoding is None else weight.stored_as,
        "bytes_before": weight.bytes,
        "bytes_after": plan.bytes_after,
        "bits_per_weight": plan.bytes_after * 8 / elements if elements else None,
    }


def granularity_of(scheme: Scheme) -> str | None:
    """What shares a scale, where that is a choice."""
    partition = getattr(scheme, "partition", None)
    return None if partition is None else str(partition)
