"""Finding formats: by family, by width, by any word of their row; and a name that spells a format out."""

from dataclasses import dataclass
from functools import lru_cache

from app.errors import InvalidInput
from app.formats import BLOCKS, CATALOG, AnyFormat, Family, find_any_format
from app.tasks.format_families import FAMILIES, FamilySpelling

LONGEST_SEARCH = 4096
UNKNOWN = "format.unknown"


@dataclass(frozen=True, slots=True)
class FormatSearch:
    """What is looked for; None and an empty text stand for anything."""

    family: Family | None = None
    width: int | None = None
    find: str = ""


@dataclass(frozen=True, slots=True)
class FamilyFormats:
    """The formats of one family that fit."""

    spelling: FamilySpelling
    formats: tuple[AnyFormat, ...]


@dataclass(frozen=True, slots=True)
class FoundFormats:
    """The families that have something to show; `spelled` is the format that the text itself spells out."""

    families: tuple[FamilyFormats, ...]
    spelled: AnyFormat | None
    refusal: InvalidInput | None
    """Why the text, a name of a known kind, names nothing."""

    @property
    def count(self) -> int:
        return sum(len(each.formats) for each in self.families)


def listed_widths() -> tuple[int, ...]:
    """The widths that occur in the table."""
    return tuple(sorted({each.width for each in (*CATALOG, *BLOCKS)}))


def search_formats(search: FormatSearch) -> FoundFormats:
    """The listed formats that fit, and the format that the text spells."""
    words = tuple(search.find.lower().split()) if len(search.find) <= LONGEST_SEARCH else ("\0",)
    groups = []
    for spelling in FAMILIES:
        if search.family in (None, spelling.family):
            found = tuple(each for each in _members(spelling.family) if _fits(each, search.width, words))
            if found:
                groups.append(FamilyFormats(spelling, found))
    spelled, refusal = _spelled(search.find)
    return FoundFormats(tuple(groups), spelled, refusal)


def is_listed(number_format: AnyFormat) -> bool:
    """Whether a format has a row in the table."""
    return number_format.name in _listed_names()


@lru_cache(maxsize=1)
def _listed_names() -> frozenset[str]:
    return frozenset(each.name for each in (*CATALOG, *BLOCKS))


@lru_cache(maxsize=16)
def _members(family: Family) -> tuple[AnyFormat, ...]:
    return tuple(each for each in (*CATALOG, *BLOCKS) if each.family is family)


@lru_cache(maxsize=256)
def _haystack(number_format: AnyFormat) -> str:
    origin = number_format.origin
    return "\n".join((number_format.name, *origin.aliases, *origin.used_by, origin.reference)).lower()


def _fits(number_format: AnyFormat, width: int | None, words: tuple[str, ...]) -> bool:
    if width is not None and number_format.width != width:
        return False
    return all(word in _haystack(number_format) for word in words)


def _spelled(text: str) -> tuple[AnyFormat | None, InvalidInput | None]:
    if not text.strip():
        return None, None
    try:
        found = find_any_format(text)
    except InvalidInput as error:
        return None, None if error.code == UNKNOWN else error
    return (None if is_listed(found) else found), None
