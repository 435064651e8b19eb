"""The fields of the Inspect page: what was asked, what can be chosen, and what is wrong with it."""

from dataclasses import dataclass

from app.errors import AppError
from app.exact import Rounding, overflows_of
from app.formats import CATALOG, FloatFormat, Format
from app.web.pages.addresses import inspect_address
from app.wording import Language, say

CARET_WINDOW = 32
FLOAT_EXAMPLES = ("0.3", "65520", "1e-45", "-0", "nan")
INTEGER_EXAMPLES = ("-128", "300", "2.5", "-1")
"""A tie, numbers out of range, a subnormal, the second zero: where formats part."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The query of the page; `format`, `rounding` and `overflow` as they were given."""

    value: str | None
    bits: str | None
    format: str
    rounding: str
    overflow: str


@dataclass(frozen=True, slots=True)
class FieldError:
    """A refusal beside its field; `excerpt` and `caret` point at the character where there is one."""

    field: str
    sentence: str
    excerpt: str
    caret: str


@dataclass(frozen=True, slots=True)
class FormatGroup:
    """Formats of one kind, in the order of the catalog."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A number worth a look, and its page."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class InspectForm:
    """The fields above the picture, filled in."""

    action: str
    value: str
    code: str
    format: str
    rounding: str
    overflow: str
    format_groups: tuple[FormatGroup, ...]
    roundings: tuple[str, ...]
    overflows: tuple[str, ...]
    examples: tuple[Example, ...]
    error: FieldError | None


def inspect_form(language: Language, asked: Asked, chosen: Format, error: AppError | None) -> InspectForm:
    """The fields as they were filled in, with the refusal beside the one that it is about."""
    return InspectForm(
        action=f"/{language}/inspect",
        value=asked.value or "",
        code=asked.bits or "",
        format=chosen.name,
        rounding=asked.rounding,
        overflow=asked.overflow,
        format_groups=_format_groups(),
        roundings=tuple(Rounding),
        overflows=overflows_of(chosen),
        examples=_examples(language, chosen),
        error=None if error is None else _field_error(language, asked, error),
    )


def _examples(language: Language, chosen: Format) -> tuple[Example, ...]:
    texts = FLOAT_EXAMPLES if isinstance(chosen, FloatFormat) else INTEGER_EXAMPLES
    return tuple(Example(text, inspect_address(language, value=text, format=chosen.name)) for text in texts)


def _format_groups() -> tuple[FormatGroup, ...]:
    floats = tuple(each.name for each in CATALOG if isinstance(each, FloatFormat))
    others = tuple(each.name for each in CATALOG if not isinstance(each, FloatFormat))
    return FormatGroup("floats", floats), FormatGroup("integers", others)


def _field_error(language: Language, asked: Asked, error: AppError) -> FieldError:
    topic = error.code.split(".", 1)[0]
    field = {"format": "format", "rounding": "rounding", "overflow": "overflow"}.get(topic)
    field = field or ("code" if asked.bits is not None else "value")
    typed = (asked.bits if field == "code" else asked.value) or ""
    position = error.figures.get("position")
    sentence = say(error.code, error.figures, language)
    if not isinstance(position, int) or field not in {"value", "code"}:
        return FieldError(field, sentence, "", "")
    start = max(0, position - CARET_WINDOW // 2)
    excerpt = typed[start : start + CARET_WINDOW]
    return FieldError(field, sentence, excerpt, " " * (position - start) + "^")
