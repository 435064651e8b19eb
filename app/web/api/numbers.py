"""`/api/v1/inspect`: one number in one format, as JSON."""

from typing import Any

from fastapi import APIRouter, Request

from app.errors import InvalidInput
from app.tasks.inspect_number import inspect_number
from app.tasks.inspection import InspectRequest
from app.web.parameters import read_parameters
from app.wording.number_documents import inspection_document

router = APIRouter(prefix="/api/v1", tags=["numbers"])


@router.get("/inspect")
def inspect(request: Request) -> dict[str, Any]:
    """One number in one format: its bits, its exact value, the rounding error, the neighbours.

    Parameters: `format`, and either `value` (a number as text) or `bits` (a code); `rounding` and `overflow`.
    """
    given = read_parameters(request, "value", "bits", "format", "rounding", "overflow")
    if ("value" in given) == ("bits" in given):
        raise InvalidInput("inspect.value-or-bits")
    if "format" not in given:
        raise InvalidInput("request.missing-parameter", name="format")
    return inspection_document(inspect_number(InspectRequest(**given)))
