"""What the JSON API and `--json` say about one number: one shape, sentences in English."""

from collections.abc import Mapping
from typing import Any

from app.explain import Step
from app.tasks.inspection import Elsewhere, Formula, Inspection, Neighbour, RoundingError, Witness
from app.wording.say import say

Document = dict[str, Any]


def inspection_document(inspection: Inspection) -> Document:
    """The document of `GET /api/v1/inspect` and `bitlens inspect --json`."""
    return {
        "format": inspection.format.name,
        "input": inspection.input,
        "hex": inspection.hex,
        "bits": inspection.bits,
        "code": str(inspection.code),
        "fields": [{"name": field.name, "bits": field.bits, "value": field.value} for field in inspection.fields],
        "weights": [
            {"position": weight.position, "weight": weight.weight, "set": weight.is_set}
            for weight in inspection.weights
        ],
        "class": inspection.kind,
        "value": inspection.value,
        "fraction": inspection.fraction,
        "hexfloat": inspection.hexfloat,
        "formula": _formula(inspection.formula),
        "ulp": inspection.ulp,
        "error": _error(inspection.error),
        "previous": _neighbour(inspection.previous),
        "next": _neighbour(inspection.next),
        "witnesses": {witness.library: _witness(witness) for witness in inspection.witnesses},
        "steps": [step_document(step) for step in inspection.steps],
        "elsewhere": [_elsewhere(row) for row in inspection.elsewhere],
    }


def step_document(step: Step) -> Document:
    """A step with its English sentence."""
    return {"id": step.id, "text": say(step.id, step.figures), "figures": dict(step.figures)}


def _formula(formula: Formula | None) -> Mapping[str, object] | None:
    if formula is None:
        return None
    return {
        "sign": formula.sign,
        "exponent_field": formula.exponent_field,
        "bias": formula.bias,
        "exponent": formula.exponent,
        "significand_bits": formula.significand_bits,
        "significand": formula.significand,
    }


def _error(error: RoundingError | None) -> Mapping[str, object] | None:
    if error is None:
        return None
    return {
        "absolute": error.absolute,
        "relative": error.relative,
        "ulps": error.ulps,
        "direction": error.direction,
    }


def _neighbour(neighbour: Neighbour | None) -> Mapping[str, object] | None:
    if neighbour is None:
        return None
    return {"hex": neighbour.hex, "value": neighbour.value}


def _witness(witness: Witness) -> Mapping[str, object]:
    return {
        "hex": witness.hex,
        "value": witness.value,
        "agrees": witness.agrees,
        "reason": witness.reason and step_document(witness.reason),
    }


def _elsewhere(row: Elsewhere) -> Mapping[str, object]:
    return {
        "format": row.format,
        "hex": row.hex,
        "value": row.value,
        "relative": row.relative,
        "exact": row.is_exact,
        "refusal": row.refusal and step_document(row.refusal),
    }
