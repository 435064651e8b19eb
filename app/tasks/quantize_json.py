"""A quantization as a JSON object asks for it, checked; the command line makes the same object of its options.

Numbers arrive as `NumberText`, the characters that were sent: a matrix is rounded once, from what was written.
"""

from collections.abc import Mapping
from typing import Any

from app.errors import InvalidInput, TooLarge
from app.schemes.entries import SchemeOptions
from app.schemes.scheme import ScaleRule
from app.tasks.number_text import NumberText
from app.tasks.quantize_request import (
    MOST_VALUES,
    CellMatrix,
    Distribution,
    DrawnMatrix,
    MatrixSource,
    QuantizeRequest,
    SchemeChoice,
    TypedMatrix,
)

_LONGEST_NUMBER = 4096
_MOST_DIGITS = 9
DRAWN_FIELDS = frozenset({"rows", "columns", "seed"})
TEXT_OPTIONS = ("granularity", "scale_format", "zero_point", "mx_scale")
FIELDS = frozenset(
    {
        *("values", "distribution", "scheme", "scale", "percentile", "symmetric", "double_quant", "signed_scales"),
        *("stochastic", "rotation", "importance", *TEXT_OPTIONS, *DRAWN_FIELDS),
    }
)


def request_from_json(document: Mapping[str, Any]) -> QuantizeRequest:
    """The request of an object with `values` (rows of numbers, or text) or `distribution`, `scheme`, and options.

    Raises:
        InvalidInput: `options.unknown`, `options.type`, `quantize.source`, `quantize.distribution`, `quantize.scale`,
            `request.missing-parameter`.
        TooLarge: `quantize.too-many`.
    """
    unknown = sorted(document.keys() - FIELDS)
    if unknown:
        raise InvalidInput("options.unknown", name=unknown[0][:40])
    return QuantizeRequest(
        source=_source(document), schemes=(choice_from_json(document),), importance=_importance(document)
    )


def choice_from_json(document: Mapping[str, Any]) -> SchemeChoice:
    """The scheme and its options among the fields of an object."""
    name = _text(document, "scheme")
    if name is None:
        raise InvalidInput("request.missing-parameter", name="scheme")
    texts = {option: _text(document, option) for option in TEXT_OPTIONS}
    return SchemeChoice(
        name,
        SchemeOptions(
            **texts, symmetric=_boolean(document, "symmetric"), double_quant=_boolean(document, "double_quant") or False
        ),
        scale=_rule(document),
        percentile=_decimal(document, "percentile"),
        signed_scales=_boolean(document, "signed_scales") or False,
        seed=_whole(document, "stochastic"),
        rotation=_whole(document, "rotation"),
    )


def _source(document: Mapping[str, Any]) -> MatrixSource:
    if ("values" in document) == ("distribution" in document):
        raise InvalidInput("quantize.source")
    if "distribution" in document:
        return drawn_matrix(document)
    alone = sorted(DRAWN_FIELDS & document.keys())
    if alone:
        raise InvalidInput("quantize.only-drawn", name=alone[0])
    values = document["values"]
    return TypedMatrix(values) if _is_text(values) else CellMatrix(_rows(values))


def drawn_matrix(document: Mapping[str, Any]) -> DrawnMatrix:
    """`distribution`, and `rows`, `columns` and `seed` where they are given."""
    distribution = find_distribution(_text(document, "distribution") or "")
    given = {field: _whole(document, field) for field in DRAWN_FIELDS}
    return DrawnMatrix(distribution, **{field: value for field, value in given.items() if value is not None})


def find_distribution(name: str) -> Distribution:
    """The distribution of that name.

    Raises:
        InvalidInput: `quantize.distribution`.
    """
    if name not in set(Distribution):
        raise InvalidInput("quantize.distribution", name=name[:40], known=", ".join(Distribution))
    return Distribution(name)


def _rows(values: Any) -> tuple[tuple[str, ...], ...]:
    if not isinstance(values, list) or not all(isinstance(row, list) for row in values):
        raise InvalidInput("quantize.rows")
    count = sum(map(len, values))
    if count > MOST_VALUES:
        raise TooLarge("quantize.too-many", count=count, limit=MOST_VALUES)
    for row_number, row in enumerate(values, 1):
        for column_number, cell in enumerate(row, 1):
            if not isinstance(cell, str) or len(cell) > _LONGEST_NUMBER:
                raise InvalidInput("quantize.cell", row=row_number, column=column_number)
    return tuple(map(tuple, values))


def _importance(document: Mapping[str, Any]) -> tuple[float, ...] | None:
    values = document.get("importance")
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(each, NumberText) for each in values):
        raise InvalidInput("options.type", name="importance")
    if len(values) > MOST_VALUES:
        raise TooLarge("quantize.too-many", count=len(values), limit=MOST_VALUES)
    return tuple(map(float, values))


def _rule(document: Mapping[str, Any]) -> ScaleRule | None:
    name = _text(document, "scale")
    if name is None:
        return ScaleRule.PERCENTILE if document.get("percentile") is not None else None
    if name not in set(ScaleRule):
        raise InvalidInput("quantize.scale", name=name[:40], known=", ".join(ScaleRule))
    return ScaleRule(name)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, NumberText)


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not _is_text(value):
        raise InvalidInput("options.type", name=name)
    return value or None


def _boolean(document: Mapping[str, Any], name: str) -> bool | None:
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput("options.type", name=name)
    return value


def _whole(document: Mapping[str, Any], name: str) -> int | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, NumberText) or not value.isdecimal() or len(value) > _MOST_DIGITS:
        raise InvalidInput("options.type", name=name)
    return int(value)


def _decimal(document: Mapping[str, Any], name: str) -> float | None:
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, NumberText):
        raise InvalidInput("options.type", name=name)
    return float(value)
