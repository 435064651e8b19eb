"""How the code of a float is read: fields, their meaning, the value."""

from collections.abc import Iterator

from app.errors import Figure
from app.exact import Decoded, Kind, float_parts
from app.explain.figures import short_value, with_point
from app.explain.steps import Step
from app.formats import FloatFormat
from app.formats.bits import power_of_two


def code_steps(decoded: Decoded, number_format: FloatFormat) -> Iterator[Step]:
    """The fields of the code, one after the other."""
    if number_format.signed:
        yield Step("code.negative" if decoded.negative else "code.positive")
    if decoded.value is None:
        yield Step(f"code.{decoded.kind.value}", {"format": number_format.name})
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
        yield Step("code.exponent-only", figures)
    else:
        yield Step("code.normal-exponent" if is_normal else "code.subnormal-exponent", figures)
        yield Step("code.normal-mantissa" if is_normal else "code.subnormal-mantissa", figures)
    yield Step("code.value", {"value": short_value(decoded.value)})
