"""What every page shows around its own content: language, theme, navigation."""

from dataclasses import dataclass

from starlette.requests import Request

from app.wording import Language

LANGUAGE_COOKIE = "language"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")
SECTIONS = ("inspect", "quantize", "compress", "formats")
SECTION_OF = {
    "files": "compress",
    "jobs": "compress",
    "compare": "formats",
    "numberline": "formats",
    "designer": "formats",
}
"""Pages that belong to the section of another."""


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """The same page in one of the languages."""

    tag: str
    own_name: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class SectionLink:
    """One entry of the navigation; the template gives it its words."""

    name: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class PageFrame:
    """The view of `base.html`."""

    language: Language
    tag: str
    address: str
    """Path and query of this page."""
    languages: tuple[LanguageLink, ...]
    sections: tuple[SectionLink, ...]
    theme: str


def language_of(request: Request) -> Language:
    """The language in which to answer: the address says it (`/zh/...`), else the reader's preference."""
    return language_of_path(request.scope["path"]) or preferred_language(request)


def language_of_path(path: str) -> Language | None:
    """The language of `/{language}/...`, or None for an address without one."""
    first = path.split("/", 2)[1] if path.startswith("/") else ""
    return Language(first) if first in set(Language) else None


def preferred_language(request: Request) -> Language:
    """For an address without a language: the remembered one, then what the browser asks for, then English."""
    remembered = request.cookies.get(LANGUAGE_COOKIE)
    if remembered in set(Language):
        return Language(remembered)
    best, best_weight = Language.ENGLISH, 0.0
    for entry in request.headers.get("accept-language", "")[:400].split(","):
        tag, _, weight_text = entry.replace(" ", "").partition(";q=")
        primary = tag.split("-", 1)[0].lower()
        weight = float(weight_text) if weight_text.replace(".", "", 1).isdecimal() else float(not weight_text)
        if primary in set(Language) and weight > best_weight:
            best, best_weight = Language(primary), weight
    return best


def page_frame(request: Request, language: Language) -> PageFrame:
    """The frame of the page that this request asks for."""
    path = request.scope["path"]
    rest = path.removeprefix(f"/{language}") or "/"
    query = request.scope["query_string"].decode("latin-1")
    suffix = f"?{query}" if query else ""
    first = rest.strip("/").partition("/")[0]
    section = SECTION_OF.get(first, first)
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return PageFrame(
        language=language,
        tag=language.tag,
        address=path + suffix,
        languages=tuple(
            LanguageLink(other.tag, other.own_name, f"/{other}{rest}{suffix}", other is language) for other in Language
        ),
        sections=tuple(SectionLink(name, f"/{language}/{name}", name == section) for name in SECTIONS),
        theme=theme if theme in THEMES else "auto",
    )
