"""What the JSON API says about formats beside each other: exact numbers as strings, counts as strings of digits."""

from typing import Any

from app.exact.text import exact_text
from app.tasks.compare_formats import FormatComparison, FormatRange
from app.tasks.compare_number import ComparedFormat, StoredNumber
from app.tasks.compare_precision import Magnitude, PrecisionSegment
from app.tasks.compare_shared import SharedNumbers, short_text
from app.wording.number_documents import Document, step_document


def comparison_document(
    comparison: FormatComparison, value: str | None, rounding: str, rows: tuple[ComparedFormat, ...]
) -> Document:
    """The document of `GET /api/v1/compare`; without a value, `numbers` is null."""
    return {
        "value": value,
        "rounding": rounding,
        "numbers": None if value is None else [_number(row) for row in rows],
        "formats": [_range(each) for each in comparison.ranges],
        "shared": [_shared(each) for each in comparison.pairs],
        "matrix": [[str(count) for count in row] for row in comparison.matrix],
    }


def _number(row: ComparedFormat) -> Document:
    head: Document = {"format": row.format.name, "width": row.format.width}
    if row.stored is None:
        return {**head, "hex": None, "refusal": row.refusal and step_document(row.refusal)}
    return {**head, **_stored(row.stored), "refusal": None}


def _stored(stored: StoredNumber) -> Document:
    error = stored.error
    return {
        "hex": stored.hex,
        "bits": "".join(field.bits for field in stored.fields),
        "fields": [{"name": field.name, "bits": field.bits} for field in stored.fields],
        "class": stored.kind,
        "value": stored.value,
        "exact": stored.is_exact,
        "error": None
        if error is None
        else {
            "absolute": error.absolute,
            "relative": error.relative,
            "ulps": error.ulps,
            "direction": error.direction,
        },
    }


def _range(each: FormatRange) -> Document:
    def text(value: Any) -> str | None:
        return None if value is None else exact_text(value)

    return {
        "name": each.format.name,
        "width": each.format.width,
        "finite_numbers": str(each.numbers),
        "min_positive": text(each.min_positive),
        "min_normal": text(each.min_normal),
        "max": text(each.max),
        "precision": [_segment(segment) for segment in each.precision],
    }


def _segment(segment: PrecisionSegment) -> Document:
    """`steps` is how many gaps fit below the number: the significant bits are 1 + log2 of it."""
    return {
        "from": _magnitude(segment.low),
        "to": _magnitude(segment.high),
        "from_bits": f"{segment.low_bits:.4f}",
        "to_bits": f"{segment.high_bits:.4f}",
        "from_steps": exact_text(segment.low_ratio),
        "to_steps": exact_text(segment.high_ratio),
    }


def _magnitude(magnitude: Magnitude) -> str:
    return f"2^{magnitude.exponent}" if magnitude.ratio == 1 else short_text(magnitude.value)


def _shared(pair: SharedNumbers) -> Document:
    return {
        "first": pair.first.name,
        "second": pair.second.name,
        "both": str(pair.both),
        "only_first": str(pair.only_first),
        "only_second": str(pair.only_second),
        "only_first_examples": list(pair.first_examples),
        "only_second_examples": list(pair.second_examples),
    }
