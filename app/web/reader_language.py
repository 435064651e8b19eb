"""Which language a reader gets: the address says it; else their last choice, else their browser, else English."""

from babel import negotiate_locale
from starlette.requests import Request

from app.wording import Language

COOKIE = "language"


def language_of_path(path: str) -> Language | None:
    """The language of `/{language}/...`, or None for an address without one."""
    prefix = path.split("/", 2)[1] if path.startswith("/") else ""
    return Language(prefix) if prefix in set(Language) else None


def language_of(request: Request) -> Language:
    """The language in which to answer, whatever the address."""
    return language_of_path(request.url.path) or preferred_language(request)


def preferred_language(request: Request) -> Language:
    """For an address without a language: the remembered choice, then what the browser asks for, then English."""
    remembered = request.cookies.get(COOKIE)
    if remembered in set(Language):
        return Language(remembered)
    accepted = _accepted_tags(request.headers.get("accept-language", ""))
    found = negotiate_locale(accepted, [language.value for language in Language], sep="-")
    return Language(found) if found else Language.ENGLISH


def _accepted_tags(header: str) -> list[str]:
    """The tags of an Accept-Language header, most wanted first; what cannot be read is left out."""
    weighted: list[tuple[float, int, str]] = []
    for position, part in enumerate(header[:500].split(",")):
        tag, _, parameters = part.strip().partition(";")
        quality = parameters.strip().removeprefix("q=") or "1"
        if tag.replace("-", "").isalnum() and quality.replace(".", "", 1).isdecimal() and float(quality) > 0:
            weighted.append((-float(quality), position, tag.split("-")[0].lower()))
    return [tag for _, _, tag in sorted(weighted)]
