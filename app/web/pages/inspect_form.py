"""The fields of the Inspect page: what was asked, what can be chosen, and what is wrong with it."""

from dataclasses import dataclass

from app.errors import AppError
from app.exact import Rounding, overflows_of
from app.formats import CATALOG, COMMON, Family, Format
from app.web.pages.addresses import inspect_address
from app.wording import Language, say

CARET_WINDOW = 32
FLOAT_EXAMPLES = ("0.3", "65520", "1e-45", "-0", "nan")
INTEGER_EXAMPLES = ("-128", "300", "2.5", "-1")
FIXED_EXAMPLES = ("0.3", "-0.5", "1/3", "300", "2^-9")
TAPERED_EXAMPLES = ("0.3", "-1", "2^22", "1e-30", "nan")
CODEBOOK_EXAMPLES = ("0.3", "-0.05", "7", "0")
"""A tie, numbers out of range, a subnormal, the second zero: where formats part."""
EXAMPLES = {
    Family.FLOAT: FLOAT_EXAMPLES,
    Family.FIXED_POINT: FIXED_EXAMPLES,
    Family.POSIT: TAPERED_EXAMPLES,
    Family.TAKUM: TAPERED_EXAMPLES,
    Family.CODEBOOK: CODEBOOK_EXAMPLES,
}


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
    """Formats of one family in the order of the catalog, the common ones, or the asked one alone (`yours`)."""

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
    other_format: str
    """What was typed as the name of a format, where it names none of those listed."""
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
        other_format=_other_format(asked, chosen, error),
        rounding=asked.rounding,
        overflow=asked.overflow,
        format_groups=_format_groups(chosen),
        roundings=tuple(Rounding),
        overflows=overflows_of(chosen),
        examples=_examples(language, chosen),
        error=None if error is None else _field_error(language, asked, error),
    )


def _examples(language: Language, chosen: Format) -> tuple[Example, ...]:
    texts = EXAMPLES.get(chosen.family, INTEGER_EXAMPLES)
    return tuple(Example(text, inspect_address(language, value=text, format=chosen.name)) for text in texts)


def _format_groups(chosen: Format) -> tuple[FormatGroup, ...]:
    listed = LISTED_GROUPS
    if any(chosen.name in group.names for group in listed):
        return listed
    return FormatGroup("yours", (chosen.name,)), *listed


def _listed_groups() -> tuple[FormatGroup, ...]:
    """Each format once: the common ones together, the others by family."""
    common = FormatGroup("common", tuple(each.name for each in COMMON))
    families = (
        FormatGroup(family.value, tuple(each.name for each in CATALOG if each.family is family and each not in COMMON))
        for family in Family
    )
    return common, *(group for group in families if group.names)


LISTED_GROUPS = _listed_groups()


def _other_format(asked: Asked, chosen: Format, error: AppError | None) -> str:
    if error is not None and error.code.startswith("format."):
        return asked.format
    return "" if any(chosen.name in group.names for group in LISTED_GROUPS) else chosen.name


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
