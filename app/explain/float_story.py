"""How a number becomes a float: normalise, cut, decide, store."""

from collections.abc import Iterator
from fractions import Fraction

from app.errors import Figure
from app.exact import Cut, Decoded, Encoding, Finite, Infinity, Kind, NaN, Outcome, Overflow, Tail, float_parts
from app.exact.text import rounded_text, value_text
from app.explain.decision import decision
from app.explain.figures import short_value, with_point
from app.explain.steps import Step
from app.formats import FloatFormat, Specials
from app.formats.bits import power_of_two

LONGEST_EXACT = 2000
"""Bits of a number above which its significand is not looked at digit by digit: it would be shortened anyway."""


def float_steps(encoding: Encoding, number_format: FloatFormat, stored: Decoded) -> Iterator[Step]:
    """Everything after reading the text."""
    number, name = encoding.number, number_format.name
    if isinstance(number, NaN):
        yield _nan_step(encoding, number, name, has_payloads=number_format.has_nan_payloads)
    elif number.negative and not number_format.signed and stored.kind is Kind.NAN:
        yield Step("special.negative", {"format": name})
    elif isinstance(number, Infinity):
        yield _infinity_step(stored, number_format)
    elif number.is_zero:
        yield _zero_step(number, number_format, stored)
    else:
        yield from _finite_steps(encoding, number, number_format, stored)


def _finite_steps(encoding: Encoding, number: Finite, number_format: FloatFormat, stored: Decoded) -> Iterator[Step]:
    cut = encoding.cut
    if cut is None:
        yield _out_of_reach(number, number_format)
    else:
        yield normalised(number, cut.exponent)
        yield from _cut_steps(encoding, cut, number_format)
    if encoding.outcome is Outcome.OVERFLOW:
        yield _overflow_step(encoding, number_format, stored)
    elif encoding.outcome is Outcome.UNDERFLOW:
        yield _underflow_step(number_format, stored)
    if stored.kind in (Kind.NORMAL, Kind.SUBNORMAL):
        yield stored_step(stored, number_format)
    ending = "result.exact" if encoding.outcome is Outcome.EXACT else "result.rounded"
    # Infinity, NaN and a zero with its sign have words of their own.
    yield Step(ending, {"value": short_value(stored.value) if stored.value else value_text(stored)})
    yield from slot_steps(number_format)


def slot_steps(number_format: FloatFormat) -> Iterator[Step]:
    """Of formats that take more room in memory than their bits."""
    if number_format.storage_bits is not None:
        yield Step("store.slot", {"bits": number_format.storage_bits, "width": number_format.width})


def _out_of_reach(number: Finite, number_format: FloatFormat) -> Step:
    # Powers of ten and two both count: the sign of the logarithm says on which side the number lies.
    if number.log2_bounds()[0] > 0:
        return Step("reach.above", {"format": number_format.name, "exponent": number_format.max_exponent})
    smallest = number_format.min_exponent - number_format.mantissa_bits
    return Step("reach.below", {"format": number_format.name, "exponent": smallest})


def normalised(number: Finite, exponent: int) -> Step:
    """The number as a significand from 1 up to 2, and a power of two."""
    numerator, denominator = number.ratio()
    is_short = numerator.bit_length() + denominator.bit_length() < LONGEST_EXACT
    if is_short:
        text = short_value(Fraction(numerator, denominator) * power_of_two(-exponent))
    else:
        scale = max(-exponent, 0), max(exponent, 0)
        text = f"≈ {rounded_text(numerator << scale[0], denominator << scale[1])}"
    return Step(
        "normalise.about" if text.startswith("≈") else "normalise.exact",
        {"significand": text.removeprefix("≈ "), "exponent": exponent, "sign": "-" if number.negative else ""},
    )


def _cut_steps(encoding: Encoding, cut: Cut, number_format: FloatFormat) -> Iterator[Step]:
    name, precision = number_format.name, number_format.precision
    if cut.exponent < number_format.min_exponent:
        yield Step(
            "subnormal.shift" if number_format.has_subnormals else "reach.below-smallest",
            {
                "format": name,
                "exponent": cut.exponent,
                "min_exponent": number_format.min_exponent,
                "bits": cut.kept.bit_length(),
                "precision": precision,
            },
        )
        if not number_format.has_subnormals:
            return
    if cut.exponent > number_format.max_exponent:
        return
    kept = with_point(cut.kept, number_format)
    if cut.tail is Tail.NOTHING:
        yield Step("cut.nothing", {"kept": kept, "format": name, "precision": precision})
        return
    yield Step(
        "cut.bits",
        {
            "kept": kept,
            "guard": cut.guard,
            "round": cut.round,
            "sticky": cut.sticky,
            "format": name,
            "places": number_format.mantissa_bits,
        },
    )
    yield decision(encoding, cut)
    if cut.up and cut.kept + 1 == 1 << precision:
        yield Step("decide.carry", {"exponent": cut.exponent + 1})
    elif cut.up and cut.kept + 1 == 1 << number_format.mantissa_bits and cut.exponent < number_format.min_exponent:
        yield Step("subnormal.becomes-normal", {"min_exponent": number_format.min_exponent})


def stored_step(stored: Decoded, number_format: FloatFormat) -> Step:
    """What goes into each field of a finite number other than zero."""
    parts = float_parts(stored, number_format)
    figures: dict[str, Figure] = {
        "sign": int(stored.negative),
        "exponent": parts.exponent,
        "bias": number_format.bias,
        "field": parts.exponent_field,
        "mantissa": f"{parts.mantissa:0{number_format.mantissa_bits}b}" if number_format.mantissa_bits else "",
    }
    if not number_format.mantissa_bits:
        return Step("store.exponent-and-sign" if number_format.signed else "store.exponent", figures)
    if number_format.has_explicit_integer_bit:
        return Step("store.integer-bit", {**figures, "integer": int(stored.kind is Kind.NORMAL)})
    return Step("store.subnormal" if stored.kind is Kind.SUBNORMAL else "store.normal", figures)


def _overflow_step(encoding: Encoding, number_format: FloatFormat, stored: Decoded) -> Step:
    figures = {"format": number_format.name, "max": short_value(number_format.max)}
    if stored.kind is Kind.INFINITY:
        return Step("overflow.infinity", figures)
    if stored.kind is Kind.NAN:
        return Step("overflow.nan", figures)
    if encoding.overflow is Overflow.SATURATE:
        return Step("overflow.saturate", figures)
    return Step("overflow.directed", {**figures, "rounding": encoding.rounding.value})


def _underflow_step(number_format: FloatFormat, stored: Decoded) -> Step:
    smallest = number_format.min_subnormal or number_format.min_normal
    figures = {"format": number_format.name, "min": short_value(smallest)}
    if stored.kind is Kind.ZERO:
        return Step("underflow.zero", figures)
    return Step("underflow.nan" if stored.kind is Kind.NAN else "underflow.smallest", figures)


def _nan_step(encoding: Encoding, number: NaN, name: str, *, has_payloads: bool) -> Step:
    if encoding.payload_dropped:
        return Step("special.payload-dropped", {"format": name})
    if number.signalling:
        return Step("special.signalling", {"format": name})
    if number.payload is not None:
        return Step("special.payload", {"format": name, "payload": f"{number.payload:#x}"})
    return Step("special.nan" if has_payloads else "special.one-nan", {"format": name})


def _infinity_step(stored: Decoded, number_format: FloatFormat) -> Step:
    name = number_format.name
    if stored.kind is Kind.INFINITY:
        is_ieee = number_format.specials is Specials.IEEE and not number_format.has_explicit_integer_bit
        return Step("special.infinity" if is_ieee else "special.infinity-code", {"format": name})
    if stored.kind is Kind.NAN:
        return Step("special.infinity-nan", {"format": name})
    return Step("special.infinity-saturate", {"format": name, "value": value_text(stored)})


def _zero_step(number: Finite, number_format: FloatFormat, stored: Decoded) -> Step:
    if stored.kind is Kind.NAN:
        return Step("special.no-zero", {"format": number_format.name})
    if number.negative and not stored.negative:
        return Step("special.no-negative-zero", {"format": number_format.name})
    return Step("special.zero", {"format": number_format.name, "sign": int(stored.negative)})
