"""`/api/v1/compare`: formats beside each other and, with a value, one number in each of them, as JSON."""

from typing import Any

from fastapi import APIRouter, Request

from app.errors import InvalidInput
from app.tasks.compare_formats import compare_formats
from app.tasks.compare_number import compare_number
from app.tasks.format_list import find_formats
from app.web.parameters import read_parameters
from app.wording.compare_documents import comparison_document

router = APIRouter(prefix="/api/v1", tags=["numbers"])


@router.get("/compare")
def compare(request: Request) -> dict[str, Any]:
    """Range, precision and common numbers of up to 12 formats; with `value`, that number in each.

    Parameters: `formats` (names separated by spaces), `value` (a number as text), `rounding`.
    """
    given = read_parameters(request, "value", "rounding", lists=frozenset({"formats"}))
    if "formats" not in given:
        raise InvalidInput("request.missing-parameter", name="formats")
    formats = find_formats(given["formats"])
    value, rounding = given.get("value"), given.get("rounding") or "nearest_even"
    rows = () if value is None else compare_number(value, formats, rounding)
    return comparison_document(compare_formats(formats), value, rounding, rows)
