"""Two questions that a supervisor asks: is the process alive, and can it do its work?"""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def alive() -> PlainTextResponse:
    """The process answers; nothing else is looked at."""
    return PlainTextResponse("ok\n")
