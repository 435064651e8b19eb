"""Two questions that a supervisor asks: is the process alive, and can it do its work?"""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from app.errors import StorageFull
from app.web.services import workspace_of

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def alive() -> PlainTextResponse:
    """The process answers; nothing else is looked at."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(request: Request) -> PlainTextResponse:
    """The databases answer and the disk has room; else 503, and a proxy should wait."""
    try:
        workspace_of(request).ensure_ready()
    except (StorageFull, SQLAlchemyError) as error:
        return PlainTextResponse(f"not ready: {type(error).__name__}\n", status_code=503)
    return PlainTextResponse("ok\n")
