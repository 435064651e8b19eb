"""`/api/v1/formats`: the formats that a number can be stored in, one by one and code by code, as JSON."""

from typing import Any

from fastapi import APIRouter, Request

from app.errors import InvalidInput, NotFound
from app.formats import AnyFormat, BlockFormat, find_any_format
from app.tasks.describe_format import describe_format
from app.tasks.format_blocks import describe_block
from app.tasks.format_codes import code_page, read_page, refuse_wide
from app.tasks.format_libraries import library_figures
from app.web.parameters import read_parameters
from app.wording.format_documents import block_document, codes_document, format_document_in_full, formats_document

router = APIRouter(prefix="/api/v1", tags=["formats"])


@router.get("/formats")
def formats(request: Request) -> dict[str, Any]:
    """Every listed format with the figures that `torch.finfo` and `iinfo` give, exactly, and how others are spelled."""
    read_parameters(request)
    return formats_document()


@router.get("/formats/{name}")
def one_format(name: str, request: Request) -> dict[str, Any]:
    """One format: a listed name, an alias such as `bf16`, or a name that spells it out, such as `e5m10` or `int5`."""
    read_parameters(request)
    found = _find(name)
    if isinstance(found, BlockFormat):
        return block_document(describe_block(found))
    return format_document_in_full(describe_format(found), library_figures(found))


@router.get("/formats/{name}/codes")
def codes(name: str, request: Request) -> dict[str, Any]:
    """The codes of a format of up to 16 bits with their exact values, 256 a page; `page` counts from 1."""
    given = read_parameters(request, "page")
    found = _find(name)
    if isinstance(found, BlockFormat):
        raise InvalidInput("format.is-block", name=found.name, element=found.element.name, scale=found.scale.name)
    refuse_wide(found)
    return codes_document(code_page(found, read_page(given.get("page", "1"), found)))


def _find(name: str) -> AnyFormat:
    try:
        return find_any_format(name)
    except InvalidInput as error:
        raise NotFound(error.code, **error.figures) from error
