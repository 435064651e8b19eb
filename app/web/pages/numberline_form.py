"""What was asked of the number line, the address that asks it again, and what is wrong with it."""

import re
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import urlencode

from app.errors import AppError, InvalidInput
from app.tasks.format_list import find_formats
from app.tasks.number_line_marks import read_interval, read_number
from app.tasks.number_line_scale import Interval, Scale, short_text
from app.wording import Language, say

FIRST_FORMATS = "float8_e4m3fn float8_e5m2 float6_e2m3fn float4_e2m1fn posit8 nf4 int4"
FIRST_FROM, FIRST_TO = "-8", "8"
SHARE = re.compile(r"-?\d{1,3}(?:\.\d{1,12})?", re.ASCII)
LONGEST_END = 600
"""Characters beyond which an end of the interval is not offered as a link."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of the page, as it was given."""

    formats: str = FIRST_FORMATS
    low: str = FIRST_FROM
    high: str = FIRST_TO
    scale: str = Scale.LINEAR
    value: str = ""
    select: str = ""

    @property
    def query(self) -> str:
        """The permalink's query: always in this order, without what goes without saying."""
        given = {"formats": self.formats, "from": self.low, "to": self.high}
        if self.scale != Scale.LINEAR:
            given["scale"] = self.scale
        if self.value:
            given["value"] = self.value
        return urlencode(given)

    def address(self, language: Language) -> str:
        return f"/{language}/numberline?{self.query}"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sentence beside its field: `formats`, `from`, `to`, `scale` or `value`."""

    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Formats that are worth seeing above each other, in the interval that shows why; the template has its words."""

    name: str
    href: str
    is_current: bool


SUGGESTIONS = {
    "narrow": Asked(),
    "halves": Asked(formats="float16 bfloat16", low="0", high="2", scale=Scale.LOG),
    "tapered": Asked(formats="posit8 takum_linear8 float8_e4m3fn float8_e5m2", low="-100", high="100", scale=Scale.LOG),
    "four-bit": Asked(formats="nf4 fp4_bnb q0.3 e2m1:bias=3:specials=none", low="-1", high="1"),
    "deep": Asked(formats="float64 float32 posit64", low="1", high="1.0000000000000005", value="1.0000000000000003"),
}


def read_asked(given: dict[str, str]) -> Asked:
    """The query with its defaults; blank fields count as left out."""
    named = {"formats": "formats", "from": "low", "to": "high", "scale": "scale", "value": "value", "select": "select"}
    kept = {named[name]: text.strip() for name, text in given.items() if text.strip()}
    return Asked(**kept)


def check(asked: Asked) -> tuple[str, InvalidInput] | None:
    """The first field that cannot be read, and why."""
    attempts = (
        ("formats", lambda: find_formats(asked.formats)),
        ("from", lambda: read_number(asked.low)),
        ("to", lambda: read_number(asked.high)),
        ("scale", lambda: read_interval("0", "1", asked.scale, ())),
        ("to", lambda: read_interval(asked.low, asked.high, asked.scale, ())),
        ("value", lambda: asked.value and read_number(asked.value)),
        ("scale", lambda: asked.select and read_shares(asked.select)),
    )
    for field, attempt in attempts:
        try:
            attempt()
        except InvalidInput as error:
            return field, error
    return None


def read_shares(text: str) -> tuple[Fraction, Fraction]:
    """`0.25,0.75`: the part of the picture's width that is to fill it.

    Raises:
        InvalidInput: `number-line.select`.
    """
    parts = text.split(",")
    if len(parts) == 2 and all(SHARE.fullmatch(part) for part in parts):
        start, end = map(Fraction, parts)
        if start < end:
            return start, end
    raise InvalidInput("number-line.select", select=text[:40])


def ends_of(interval: Interval) -> tuple[str, str] | None:
    """Both ends as text; None where they have become too long for an address."""
    low, high = short_text(interval.low), short_text(interval.high)
    return (low, high) if max(len(low), len(high)) <= LONGEST_END else None


def refusal(field: str, error: AppError, language: Language) -> Refusal:
    """The sentence of an error in the reader's language."""
    return Refusal(field, say(error.code, error.figures, language))


def suggestions(language: Language, asked: Asked) -> tuple[Suggestion, ...]:
    """The examples, each as a link."""
    return tuple(Suggestion(name, each.address(language), each == asked) for name, each in SUGGESTIONS.items())
