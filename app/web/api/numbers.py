"""`/api/v1/formats` and `/api/v1/inspect`: one number and the formats it can be stored in, as JSON."""

from typing import Any

from fastapi import APIRouter, Request

from app.errors import InvalidInput, NotFound
from app.formats import find_format
from app.tasks.describe_format import describe_format
from app.tasks.inspect_number import inspect_number
from app.tasks.inspection import InspectRequest
from app.web.parameters import read_parameters
from app.wording.number_documents import format_document, formats_document, inspection_document

router = APIRouter(prefix="/api/v1", tags=["numbers"])


@router.get("/formats")
def formats(request: Request) -> dict[str, Any]:
    """Every format, with the figures that `torch.finfo` and `iinfo` give, exactly."""
    read_parameters(request)
    return formats_document()


@router.get("/formats/{name}")
def one_format(name: str, request: Request) -> dict[str, Any]:
    """One format; an alias such as `bf16` is understood."""
    read_parameters(request)
    try:
        found = find_format(name)
    except InvalidInput as error:
        raise NotFound(error.code, **error.figures) from error
    return format_document(describe_format(found))


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
