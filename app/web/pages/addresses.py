"""Permanent addresses of the Inspect and Formats pages."""

from urllib.parse import quote, urlencode

from app.wording import Language

NAME_MARKS = ":=,+"


def inspect_address(language: Language, **query: str | None) -> str:
    """The page of one number: by `value` or by `bits`; what is None or empty is left out."""
    given = {name: text for name, text in query.items() if text}
    return f"/{language}/inspect?{urlencode(given)}"


def inspect_picture_address(language: Language, **query: str | None) -> str:
    """The same as an SVG."""
    given = {name: text for name, text in query.items() if text}
    return f"/{language}/inspect.svg?{urlencode(given)}"


def inspect_json_address(**query: str | None) -> str:
    """The same as JSON."""
    given = {name: text for name, text in query.items() if text}
    return f"/api/v1/inspect?{urlencode(given)}"


def format_address(language: Language, name: str) -> str:
    """The card of one format."""
    return f"/{language}/formats/{format_path(name)}"


def format_part_address(language: Language, name: str, part: str, **query: str | None) -> str:
    """A page beside the card: `codes` or `map`; what is None or empty is left out of the query."""
    given = {name: text for name, text in query.items() if text}
    return f"{format_address(language, name)}/{part}{'?' if given else ''}{urlencode(given)}"


def format_path(name: str) -> str:
    """A format's name as a part of a path; the marks that names have stay readable."""
    return quote(name, safe=NAME_MARKS)
