"""`/api/v1/numberline`: the numbers of several formats in an interval, counted, and listed where they are few."""

from typing import Any

from fastapi import APIRouter, Request

from app.errors import InvalidInput
from app.tasks.number_line_marks import draw_number_line
from app.web.parameters import read_parameters
from app.wording.number_line_documents import number_line_document

router = APIRouter(prefix="/api/v1", tags=["numbers"])


@router.get("/numberline")
def number_line(request: Request) -> dict[str, Any]:
    """How many numbers of each format lie from one number to another, both included, and how far apart they are.

    Parameters: `formats` (names separated by spaces), `from` and `to` (numbers as text), `value` (where it is stored).
    """
    given = read_parameters(request, "from", "to", "value", lists=frozenset({"formats"}))
    for name in ("formats", "from", "to"):
        if name not in given:
            raise InvalidInput("request.missing-parameter", name=name)
    line = draw_number_line(given["formats"], given["from"], given["to"], value=given.get("value", ""), columns=1)
    return number_line_document(line)
