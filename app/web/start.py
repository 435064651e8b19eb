"""Addresses without a language: `/` leads to the reader's own, and what robots ask for unbidden."""

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, RedirectResponse

from app.web.frame import language_of
from app.wording import Language

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(request: Request) -> RedirectResponse:
    """To Inspect in the reader's language; the query travels along."""
    query = f"?{request.url.query}" if request.url.query else ""
    response = RedirectResponse(f"/{language_of(request)}/inspect{query}", status_code=302)
    response.headers["Vary"] = "Accept-Language, Cookie"
    return response


@router.get("/robots.txt")
def robots() -> PlainTextResponse:
    """Pages may be indexed; what belongs to an owner and what computes may not."""
    private = [f"Disallow: /{language}/{part}" for language in Language for part in ("compress", "files", "jobs")]
    return PlainTextResponse("\n".join(["User-agent: *", "Disallow: /api/", *private, ""]))


@router.get("/{language}")
@router.get("/{language}/")
def start_in(language: Language) -> RedirectResponse:
    """To Inspect in that language."""
    return RedirectResponse(f"/{language}/inspect", status_code=302)
