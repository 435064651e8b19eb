"""The choice of a theme where no script remembers it: a form that sets a cookie and leads back."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse

from app.errors import InvalidInput
from app.web.frame import THEME_COOKIE, THEMES
from app.wording import Language

router = APIRouter(include_in_schema=False)
YEAR_SECONDS = 365 * 24 * 3600


@router.post("/{language}/theme")
def choose_theme(
    language: Language, theme: Annotated[str, Form()], return_to: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Remember the theme; `auto` follows the system and needs no cookie."""
    if theme not in THEMES:
        raise InvalidInput("request.invalid")
    # A path of this site only: "//host" and "/\host" would lead away.
    is_ours = return_to.startswith(f"/{language}/") and return_to.isprintable() and "\\" not in return_to
    response = RedirectResponse(return_to if is_ours else f"/{language}/inspect", status_code=303)
    if theme == "auto":
        response.delete_cookie(THEME_COOKIE, samesite="lax")
    else:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR_SECONDS, samesite="lax")
    return response
