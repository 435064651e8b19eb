"""The views of the Inspect page: what was asked, and the answer with its links and sentences."""

from dataclasses import dataclass

from app.errors import AppError
from app.exact import Overflow, Rounding
from app.explain import Step
from app.formats import CATALOG, FloatFormat, Format, find_format
from app.tasks.inspection import Inspection, Neighbour
from app.web.pages.addresses import (
    format_address,
    inspect_address,
    inspect_json_address,
    inspect_picture_address,
)
from app.web.pages.bit_row import BitRow, bit_row, weight_text
from app.web.pages.number_line import NumberLine, number_line
from app.wording import Language, SentencePart, say, say_in_parts

CARET_WINDOW = 32
FLOAT_EXAMPLES = ("0.3", "65520", "1e-45", "-0", "nan")
INTEGER_EXAMPLES = ("-128", "300", "2.5", "-1")
"""A tie, numbers out of range, a subnormal, the second zero: where formats part."""
NUMBERS_IN_STEPS = dict.fromkeys(("value", "min", "max", "significand", "whole", "top"), "number") | {
    "terms": "sum",
    **dict.fromkeys(("kept", "mantissa", "bits"), "bits"),
}
"""The figures of sentences that are set as numbers, not as words."""
MOST_TERMS = 16


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


@dataclass(frozen=True, slots=True)
class NeighbourLink:
    """A neighbour and the address of its own page."""

    neighbour: Neighbour
    href: str


@dataclass(frozen=True, slots=True)
class WitnessRow:
    """What a library gives; `reason` says why it differs."""

    library: str
    hex: str | None
    value: str | None
    agrees: bool | None
    reason: tuple[SentencePart, ...]


@dataclass(frozen=True, slots=True)
class ElsewhereRow:
    """The same number in another format."""

    format: str
    href: str
    hex: str | None
    value: str | None
    relative: str | None
    is_exact: bool
    refusal: tuple[SentencePart, ...]


@dataclass(frozen=True, slots=True)
class InspectAnswer:
    """Everything under the fields."""

    inspection: Inspection
    is_float: bool
    row: BitRow
    line: NumberLine | None
    previous: NeighbourLink | None
    next: NeighbourLink | None
    integer_sum: tuple[str, ...]
    """The weights of the set bits of an integer; an empty text stands for those left out of a long sum."""
    steps: tuple[tuple[SentencePart, ...], ...]
    witnesses: tuple[WitnessRow, ...]
    elsewhere: tuple[ElsewhereRow, ...]
    format_href: str
    value_href: str
    bits_href: str
    json_href: str
    picture_href: str
    picture_name: str


@dataclass(frozen=True, slots=True)
class InspectPage:
    """The view of `inspect.html` and its partials. Without an answer, `blank` shows the layout of the chosen format."""

    form: InspectForm
    answer: InspectAnswer | None
    blank: BitRow | None


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


def overflows_of(chosen: Format) -> tuple[Overflow, Overflow]:
    """What a format can do beyond its range, the usual first."""
    is_float = isinstance(chosen, FloatFormat)
    return (Overflow.IEEE, Overflow.SATURATE) if is_float else (Overflow.SATURATE, Overflow.WRAP)


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


def inspect_answer(language: Language, asked: Asked, inspection: Inspection) -> InspectAnswer:
    """The answer with every link and sentence that it shows."""
    name = inspection.format.name
    options = {"rounding": asked.rounding, "overflow": asked.overflow}

    def of_bits(code: str) -> str:
        return inspect_address(language, bits=code, format=name, **options)

    def neighbour(each: Neighbour | None) -> NeighbourLink | None:
        return None if each is None else NeighbourLink(each, of_bits(each.hex))

    question = {"bits": inspection.hex} if inspection.by_bits else {"value": inspection.input}
    return InspectAnswer(
        inspection=inspection,
        is_float=isinstance(inspection.format, FloatFormat),
        row=bit_row(inspection, of_bits),
        line=number_line(inspection),
        previous=neighbour(inspection.previous),
        next=neighbour(inspection.next),
        integer_sum=_integer_sum(inspection),
        steps=tuple(_sentence(step, language) for step in inspection.steps),
        witnesses=_witnesses(language, inspection),
        elsewhere=_elsewhere(language, asked, inspection),
        format_href=format_address(language, name),
        value_href=inspect_address(language, value=inspection.input, format=name, **options),
        bits_href=inspect_address(language, bits=inspection.hex, format=name),
        json_href=inspect_json_address(**question, format=name, **options),
        picture_href=inspect_picture_address(language, **question, format=name, **options),
        picture_name=f"bitlens-{name}-{inspection.hex}.svg",
    )


def _integer_sum(inspection: Inspection) -> tuple[str, ...]:
    terms = tuple(weight_text(inspection.format, weight.position) for weight in inspection.weights if weight.is_set)
    return terms if len(terms) <= MOST_TERMS else (*terms[: MOST_TERMS - 3], "", *terms[-2:])


def _witnesses(language: Language, inspection: Inspection) -> tuple[WitnessRow, ...]:
    return tuple(
        WitnessRow(each.library, each.hex, each.value, each.agrees, _sentence(each.reason, language))
        for each in inspection.witnesses
    )


def _elsewhere(language: Language, asked: Asked, inspection: Inspection) -> tuple[ElsewhereRow, ...]:
    def address(name: str) -> str:
        overflow = asked.overflow if asked.overflow in overflows_of(find_format(name)) else ""
        return inspect_address(
            language, value=inspection.input, format=name, rounding=asked.rounding, overflow=overflow
        )

    return tuple(
        ElsewhereRow(
            format=each.format,
            href=address(each.format),
            hex=each.hex,
            value=each.value,
            relative=each.relative,
            is_exact=each.is_exact,
            refusal=_sentence(each.refusal, language),
        )
        for each in inspection.elsewhere
    )


def _sentence(step: Step | None, language: Language) -> tuple[SentencePart, ...]:
    return () if step is None else say_in_parts(step.id, step.figures, NUMBERS_IN_STEPS, language)
