"""The fields of the Compare page: what was asked, which formats are ticked, and what is wrong with it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from app.errors import AppError, InvalidInput
from app.exact import Rounding
from app.formats import Format
from app.tasks.format_list import MOST_FORMATS, find_listed
from app.wording import Language, say

FIRST_VALUE = "0.1"
FIRST_FORMATS = "float32 tfloat32 bfloat16 float16 float8_e4m3fn posit16"
SORTS = ("chosen", "error")
CHOICES = {
    "wide-floats": ("float64", "float32", "tfloat32", "bfloat16", "float16"),
    "narrow-floats": (
        *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
        *("float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn"),
    ),
    "tapered": ("posit8", "posit16", "takum_linear16"),
    "integers": ("int4", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    "others": ("q0.15", "nf4", "bool"),
}
"""The formats that can be ticked; every other is named in the field."""
QUERY = {"value": "value", "formats": "formats", "rounding": "rounding", "sort": "sort", "low": "from", "high": "to"}


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of the page, as it was given."""

    value: str = FIRST_VALUE
    formats: str = FIRST_FORMATS
    rounding: str = ""
    sort: str = ""
    low: str = ""
    high: str = ""

    def address(self, language: Language) -> str:
        """The permanent address of this view."""
        given = {query: text for name, query in QUERY.items() if (text := getattr(self, name))}
        return f"/{language}/compare?{urlencode(given)}"

    @property
    def json_address(self) -> str:
        """The same as JSON."""
        given = {"value": self.value, "formats": self.formats, "rounding": self.rounding}
        return f"/api/v1/compare?{urlencode({name: text for name, text in given.items() if text})}"


@dataclass(frozen=True, slots=True)
class ChosenFormats:
    """The formats that could be read, each once, and a sentence for every name that could not."""

    formats: tuple[Format, ...]
    refused: tuple[str, ...]
    """The names that could not be read, as they were typed."""
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A format that can be ticked."""

    name: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """Ticks of one kind of format."""

    kind: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class CompareForm:
    """The fields, filled in; `errors` holds the sentences for each field by its name."""

    action: str
    value: str
    rounding: str
    roundings: tuple[str, ...]
    sort: str
    sorts: tuple[str, ...]
    groups: tuple[ChoiceGroup, ...]
    further: str
    low: str
    high: str
    count: int
    most: int
    errors: dict[str, tuple[str, ...]]


def choose_formats(text: str, language: Language) -> ChosenFormats:
    """Every format that is named and can be read; the rest becomes sentences."""
    found: dict[Format, None] = {}
    refused: dict[str, str] = {}
    names = text.split()
    for name in names[: 4 * MOST_FORMATS]:
        try:
            found[find_listed(name)] = None
        except InvalidInput as error:
            refused[name] = sentence_of(error, language)
    errors = list(dict.fromkeys(refused.values()))
    if not names:
        errors.append(say("formats.none", {}, language))
    count = len(found) if len(names) <= 4 * MOST_FORMATS else len(names)
    if count > MOST_FORMATS:
        errors.append(say("formats.too-many", {"count": count, "most": MOST_FORMATS}, language))
    return ChosenFormats(tuple(found)[:MOST_FORMATS], tuple(refused), tuple(errors))


def sentence_of(error: AppError, language: Language) -> str:
    """The refusal in the reader's language."""
    return say(error.code, error.figures, language)


def compare_form(
    language: Language, asked: Asked, chosen: ChosenFormats, errors: dict[str, tuple[str, ...]]
) -> CompareForm:
    """The fields as they were filled in, with what is wrong beside each."""
    names = {each.name for each in chosen.formats}
    offered = {name for group in CHOICES.values() for name in group}
    further = [each.name for each in chosen.formats if each.name not in offered]
    return CompareForm(
        action=f"/{language}/compare",
        value=asked.value,
        rounding=asked.rounding,
        roundings=tuple(Rounding),
        sort=asked.sort,
        sorts=SORTS,
        groups=tuple(
            ChoiceGroup(kind, tuple(Choice(name, name in names) for name in group)) for kind, group in CHOICES.items()
        ),
        further=" ".join((*further, *chosen.refused)),
        low=asked.low,
        high=asked.high,
        count=len(chosen.formats),
        most=MOST_FORMATS,
        errors=errors,
    )
