"""The same number in every other format that is widely used."""

from app import exact
from app.errors import AppError, InvalidInput
from app.exact.distance import Direction, distance
from app.exact.text import value_text
from app.explain import Step
from app.formats import COMMON, Format
from app.tasks.code_text import format_hex
from app.tasks.inspection import Elsewhere


def elsewhere(number: exact.Number, here: Format, rounding: str, overflow: str | None) -> tuple[Elsewhere, ...]:
    """One row for each other format, in the table's order, rounded in the same mode."""
    return tuple(_row(number, there, rounding, overflow) for there in COMMON if there is not here)


def _row(number: exact.Number, there: Format, rounding: str, overflow: str | None) -> Elsewhere:
    try:
        encoding = _encode(number, there, rounding, overflow)
    except AppError as refused:
        return Elsewhere(
            format=there.name,
            hex=None,
            value=None,
            relative=None,
            is_exact=False,
            refusal=Step(refused.code, refused.figures),
        )
    stored = exact.decode(encoding.code, there)
    error = distance(number, stored)
    if error is None:
        is_exact = isinstance(number, exact.NaN) and not encoding.payload_dropped
        relative = None
    else:
        is_exact, relative = error.direction is Direction.EXACT, error.relative
    return Elsewhere(there.name, format_hex(encoding.code, there), value_text(stored), relative, is_exact, None)


def _encode(number: exact.Number, there: Format, rounding: str, overflow: str | None) -> exact.Encoding:
    """In the asked overflow mode where the format has it, else in its own."""
    try:
        return exact.encode(number, there, rounding, overflow)
    except InvalidInput as refused:
        if refused.code != "overflow.not-for-format":
            raise
        return exact.encode(number, there, rounding)
