"""The page of a refusal: what is wrong and where to go from here."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app.web.rendering import render


@dataclass(frozen=True, slots=True)
class FailurePage:
    """The view of `error.html`."""

    status: int
    sentence: str


def failure_page(request: Request, sentence: str, status: int) -> Response:
    """The page, in the reader's language."""
    return render(request, "error.html", FailurePage(status, sentence), status=status)
