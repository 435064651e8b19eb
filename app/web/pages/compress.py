"""`/{language}/compress`: where a weight file is handed in, and `/{language}/files`: the list of what is here."""

from dataclasses import dataclass

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from app.errors import AppError
from app.web.failures import status_of
from app.web.owners import KnownOwner, known_or_new_owner, known_owner, remember_owner
from app.web.pages.listing import Listing, listing_of
from app.web.quantities import size_text
from app.web.rendering import render
from app.web.services import services_of
from app.web.uploads import receive_upload
from app.wording import Language, say

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class CompressPage:
    """The view of `compress.html`."""

    upload_href: str
    list_href: str
    upload_limit: str
    upload_limit_bytes: int
    upload_hours: int
    result_hours: int
    listing: Listing
    refusal: str | None


@dataclass(frozen=True, slots=True)
class FilesPage:
    """The view of `files.html` and of `_listing.html`, which both pages include."""

    list_href: str
    listing: Listing


@router.get("/{language}/compress")
def show(language: Language, request: Request, owner: KnownOwner) -> Response:
    """The drop zone, and what was handed in before."""
    return _page(language, request, owner, None)


@router.get("/{language}/files")
def show_files(language: Language, request: Request, owner: KnownOwner) -> Response:
    """The list alone."""
    listing = listing_of(services_of(request).workspace, owner, language)
    return render(request, "files.html", FilesPage(f"/{language}/files", listing), partial="_listing.html")


@router.post("/{language}/compress")
async def upload(language: Language, request: Request) -> Response:
    """Takes a file and leads to its page; what is wrong with it is said on this one.

    The page's own script asks for JSON: the address to go to, or the sentence to show.
    """
    wants_json = "application/json" in request.headers.get("accept", "")
    try:
        ownership = await to_thread.run_sync(known_or_new_owner, request)
        stored = await receive_upload(request, services_of(request).workspace, ownership.owner)
    except AppError as error:
        refusal = say(error.code, error.figures, language)
        if wants_json:
            return JSONResponse({"error": {"code": error.code, "message": refusal}}, status_of(error))
        return await to_thread.run_sync(_refusal_page, language, request, refusal, status_of(error))
    location = f"/{language}/files/{stored.record.id}"
    response: Response = (
        JSONResponse({"location": location}, status_code=201)
        if wants_json
        else RedirectResponse(location, status_code=303)
    )
    remember_owner(request, response, ownership)
    return response


def _refusal_page(language: Language, request: Request, refusal: str, status: int) -> Response:
    return _page(language, request, known_owner(request), refusal, status)


def _page(language: Language, request: Request, owner: str | None, refusal: str | None, status: int = 200) -> Response:
    services = services_of(request)
    settings = services.settings
    view = CompressPage(
        upload_href=f"/{language}/compress",
        list_href=f"/{language}/files",
        upload_limit=size_text(settings.max_upload_bytes),
        upload_limit_bytes=settings.max_upload_bytes,
        upload_hours=settings.upload_hours,
        result_hours=settings.result_hours,
        listing=listing_of(services.workspace, owner, language),
        refusal=refusal,
    )
    return render(request, "compress.html", view, status=status)
