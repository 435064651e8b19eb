"""How the code of a float is read: fields, their meaning, the value."""

from collections.abc import Iterator

from app.errors import Figure
from app.exact import Decoded, Kind, float_parts, invalid_kind
from app.explain.figures import short_value, with_point
from app.explain.steps import Step
from app.formats import FloatFormat, Specials
from app.formats.bits import power_of_two


def code_steps(decoded: Decoded, number_format: FloatFormat) -> Iterator[Step]:
    """The fields of the code, one after the other."""
    if number_format.signed:
        yield Step("code.negative" if decoded.negative else "code.positive")
    contradiction = invalid_kind(decoded.code, number_format)
    if contradiction is not None:
        yield Step(f"x87.{contradiction.value}", {"format": number_format.name})
    if decoded.kind is Kind.INVALID:
        return
    if decoded.value is None:
        yield _special(decoded, number_format)
        return
    if decoded.kind is Kind.ZERO:
        yield Step("code.zero", {"format": number_format.name})
        return
    mantissa_bits = number_format.mantissa_bits
    is_normal = decoded.kind is Kind.NORMAL
    parts = float_parts(decoded, number_format)
    figures: dict[str, Figure] = {
        "field": parts.exponent_field,
        "bias": number_format.bias,
        "exponent": parts.exponent,
        "bits": with_point(parts.significand, number_format),
        "significand": short_value(parts.significand * power_of_two(-mantissa_bits)),
    }
    if mantissa_bits == 0:
        yield Step("code.exponent-and-sign" if number_format.signed else "code.exponent-only", figures)
    elif number_format.has_explicit_integer_bit:
        yield Step(
            "code.normal-exponent" if parts.exponent_field and not contradiction else "code.subnormal-exponent", figures
        )
        yield Step("code.integer-bit", {**figures, "integer": int(is_normal)})
    else:
        if number_format.exponent_bits == 0:
            yield Step("code.no-exponent", figures)
        else:
            yield Step("code.normal-exponent" if is_normal else "code.subnormal-exponent", figures)
        yield Step("code.normal-mantissa" if is_normal else "code.subnormal-mantissa", figures)
    yield Step("code.value", {"value": short_value(decoded.value)})


def _special(decoded: Decoded, number_format: FloatFormat) -> Step:
    figures = {"format": number_format.name}
    if decoded.kind is Kind.INFINITY:
        is_ieee = number_format.specials is Specials.IEEE and not number_format.has_explicit_integer_bit
        return Step("code.infinity" if is_ieee else "code.infinity-code", figures)
    return Step("code.nan", figures)
