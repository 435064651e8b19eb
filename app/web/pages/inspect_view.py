"""The view of the Inspect page: the answer with its links and sentences under the fields."""

from dataclasses import dataclass

from app.exact import overflows_of
from app.explain import Step
from app.formats import FloatFormat, IntegerFormat, Notation, find_format
from app.tasks.inspection import Inspection, Neighbour
from app.web.pages.addresses import (
    format_address,
    inspect_address,
    inspect_json_address,
    inspect_picture_address,
)
from app.web.pages.bit_row import BitRow, bit_row, weight_text
from app.web.pages.inspect_form import Asked, InspectForm
from app.web.pages.number_line import NumberLine, number_line
from app.wording import Language, SentencePart, say_in_parts

NUMBERS_IN_STEPS = dict.fromkeys(
    ("value", "min", "max", "significand", "whole", "top", "low", "high", "middle", "border"), "number"
) | {
    "terms": "sum",
    **dict.fromkeys(("kept", "mantissa", "bits", "regime", "field", "characteristic", "rest", "code"), "bits"),
}
"""The figures of sentences that are set as numbers, not as words."""
MOST_TERMS = 16


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
    has_fraction: bool
    """The value as p/q says more than its decimal."""
    row: BitRow
    line: NumberLine | None
    previous: NeighbourLink | None
    next: NeighbourLink | None
    integer_sum: tuple[str, ...]
    """The weights of the set bits of an integer or fixed-point number; an empty text stands for those left out of a
    long sum. Of sign-magnitude those of the magnitude."""
    minus_sum: bool
    """The sum is that of a negative magnitude."""
    steps: tuple[tuple[SentencePart, ...], ...]
    witnesses: tuple[WitnessRow, ...]
    elsewhere: tuple[ElsewhereRow, ...]
    format_href: str
    value_href: str | None
    """None where the code stands for nothing that could be typed."""
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
        has_fraction=inspection.fraction is not None and "/" in inspection.fraction,
        row=bit_row(inspection, of_bits),
        line=number_line(inspection),
        previous=neighbour(inspection.previous),
        next=neighbour(inspection.next),
        integer_sum=_integer_sum(inspection),
        minus_sum=_is_sign_magnitude(inspection) and inspection.bits[0] == "1",
        steps=tuple(_sentence(step, language) for step in inspection.steps),
        witnesses=_witnesses(language, inspection),
        elsewhere=_elsewhere(language, asked, inspection),
        format_href=format_address(language, name),
        value_href=None
        if inspection.kind == "invalid"
        else inspect_address(language, value=inspection.input, format=name, **options),
        bits_href=inspect_address(language, bits=inspection.hex, format=name),
        json_href=inspect_json_address(**question, format=name, **options),
        picture_href=inspect_picture_address(language, **question, format=name, **options),
        picture_name=f"bitlens-{name}-{inspection.hex}.svg",
    )


def _is_sign_magnitude(inspection: Inspection) -> bool:
    number_format = inspection.format
    return isinstance(number_format, IntegerFormat) and number_format.notation is Notation.SIGN_MAGNITUDE


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
