"""How a number becomes a posit or a takum: its endless bit string, where that is cut, and the code's own fields."""

from collections.abc import Iterator
from dataclasses import replace

from app.errors import Figure
from app.exact import Cut, Decoded, Encoding, Finite, Infinity, NaN, Outcome, Rounding, Tail, encode
from app.exact.text import value_text
from app.explain.decision import decision
from app.explain.figures import short_value
from app.explain.float_story import normalised
from app.explain.steps import Step
from app.formats import PositFormat, TakumFormat, TaperedParts
from app.formats.bits import floor_log2, power_of_two

MORE_BITS = 16
"""Bits of the endless string that are shown behind the cut."""

TaperedFormat = PositFormat | TakumFormat


def tapered_steps(encoding: Encoding, number_format: TaperedFormat, stored: Decoded) -> Iterator[Step]:
    """Everything after reading the text."""
    number, name = encoding.number, number_format.name
    if isinstance(number, NaN):
        yield Step("tapered.nan", {"format": name})
    elif isinstance(number, Infinity):
        if stored.value is None:
            yield Step("tapered.infinity", {"format": name})
        else:
            yield Step("special.infinity-saturate", {"format": name, "value": short_value(stored.value)})
    elif number.is_zero:
        yield Step("tapered.zero", {"format": name})
    else:
        yield from _finite_steps(encoding, number, number_format, stored)


def _finite_steps(encoding: Encoding, number: Finite, number_format: TaperedFormat, stored: Decoded) -> Iterator[Step]:
    assert stored.value is not None
    if encoding.outcome is Outcome.OVERFLOW:
        yield Step("tapered.above", {"format": number_format.name, "max": short_value(number_format.max)})
    elif encoding.outcome is Outcome.UNDERFLOW:
        yield Step("tapered.below", {"format": number_format.name, "min": short_value(number_format.min_positive)})
    else:
        exponent = floor_log2(*number.ratio())
        yield normalised(number, exponent)
        yield from _exponent_steps(exponent, number_format)
        yield from _cut_steps(encoding, number, number_format, exponent)
    if stored.negative:
        yield Step("tapered.negate", {"code": _bits(_magnitude(stored, number_format), number_format.width)})
    ending = "result.exact" if encoding.outcome is Outcome.EXACT else "result.rounded"
    yield Step(ending, {"value": short_value(stored.value)})


def _exponent_steps(exponent: int, number_format: TaperedFormat) -> Iterator[Step]:
    if isinstance(number_format, TakumFormat):
        direction = int(exponent >= 0)
        characteristic_bits = (exponent + 1 if direction else -exponent).bit_length() - 1
        start = (1 << characteristic_bits) - 1 if direction else 1 - (1 << (characteristic_bits + 1))
        figures: dict[str, Figure] = {
            "exponent": exponent,
            "direction": direction,
            "places": characteristic_bits,
            "regime": _bits(characteristic_bits if direction else 7 - characteristic_bits, 3),
            "characteristic": _bits(exponent - start, characteristic_bits),
            "start": start,
        }
        yield Step("takum.direction-up" if direction else "takum.direction-down", figures)
        yield Step("takum.regime" if characteristic_bits else "takum.regime-alone", figures)
        return
    size = number_format.exponent_size
    run, rest = divmod(exponent, 1 << size)
    figures = {
        "exponent": exponent,
        "unit": 1 << size,
        "k": run,
        "rest": rest,
        "regime": "1" * (run + 1) + "0" if run >= 0 else "0" * -run + "1",
        "field": _bits(rest, size),
        "places": size,
    }
    yield Step("posit.regime-up" if run >= 0 else "posit.regime-down", figures)
    if size:
        yield Step("posit.exponent", figures)


def _cut_steps(encoding: Encoding, number: Finite, number_format: TaperedFormat, exponent: int) -> Iterator[Step]:
    places = number_format.width - 1
    longer = replace(number_format, width=number_format.width + MORE_BITS)
    magnitude = replace(number, negative=False)
    string = encode(magnitude, longer, Rounding.TOWARD_ZERO)
    below, behind = divmod(string.code, 1 << MORE_BITS)
    kept = _bits(below, places)
    if encoding.outcome is Outcome.EXACT:
        yield Step("tapered.nothing-cut", {"kept": kept, "places": places, "format": number_format.name})
        return
    endless = string.outcome is not Outcome.EXACT
    rest = _bits(behind, MORE_BITS)
    shown = f"{rest}…" if endless else rest.rstrip("0")
    yield Step("tapered.cut", {"kept": kept, "rest": shown, "places": places, "format": number_format.name})
    half, sticky = rest[0] == "1", endless or "1" in rest[1:]
    tail = Tail.HALF if half and not sticky else Tail.ABOVE_HALF if half else Tail.BELOW_HALF
    up = abs(number_format.ordinal_of(encoding.code) or 0) > below
    cut = Cut(exponent, 0, below, int(half), int(rest[1]), int(sticky), tail, up)
    yield decision(encoding, cut)
    if encoding.rounding in (Rounding.NEAREST_EVEN, Rounding.NEAREST_AWAY):
        yield from _border(below, number_format)


def _border(below: int, number_format: TaperedFormat) -> Iterator[Step]:
    """Where half of the bit string is not half of the way: between powers of two the border is a geometric one."""
    low, high = number_format.parts(below).value, number_format.parts(below + 1).value
    border = replace(number_format, width=number_format.width + 1).parts(2 * below + 1).value
    if border != (low + high) / 2:
        figures = {"low": short_value(low), "high": short_value(high), "border": short_value(border)}
        yield Step("tapered.border", figures)


def tapered_code_steps(decoded: Decoded, number_format: TaperedFormat) -> Iterator[Step]:
    """The fields of the code, one after the other."""
    name = number_format.name
    if decoded.value is None:
        yield Step("tapered.read-nar", {"format": name})
        return
    if decoded.value == 0:
        yield Step("tapered.read-zero", {"format": name})
        return
    magnitude = _magnitude(decoded, number_format)
    if decoded.negative:
        yield Step("tapered.read-negative", {"code": _bits(magnitude, number_format.width)})
    else:
        yield Step("code.positive")
    parts = number_format.parts(magnitude)
    fields = _field_bits(magnitude, number_format, parts)
    if isinstance(number_format, TakumFormat):
        yield from _takum_fields(number_format, parts, fields)
    else:
        yield from _posit_fields(number_format, parts, fields)
    if parts.fraction_bits and "fraction" in fields:
        significand = 1 + parts.fraction * power_of_two(-parts.fraction_bits)
        figures = {"bits": f"1.{fields['fraction']}", "significand": short_value(significand)}
        yield Step("tapered.read-fraction", figures)
    else:
        yield Step("tapered.read-no-fraction")
    yield Step("tapered.read-value", {"value": value_text_short(decoded), "exponent": parts.exponent})


def _posit_fields(number_format: PositFormat, parts: TaperedParts, fields: dict[str, str]) -> Iterator[Step]:
    regime, size = fields["regime"], number_format.exponent_size
    run = len(regime) - len(regime.lstrip(regime[0]))
    k = run - 1 if regime[0] == "1" else -run
    field, taken = fields.get("exponent", ""), parts.exponent - k * (1 << size)
    figures: dict[str, Figure] = {
        "regime": regime,
        "run": run,
        "k": k,
        "unit": 1 << size,
        "field": field,
        "rest": taken,
        "exponent": parts.exponent,
        "places": size,
    }
    yield Step("posit.read-ones" if k >= 0 else "posit.read-zeros", figures)
    if size == 0:
        return
    if len(field) == size:
        yield Step("posit.read-exponent", figures)
    else:
        yield Step("posit.read-cut-exponent" if field else "posit.read-no-exponent", figures)


def _takum_fields(number_format: TakumFormat, parts: TaperedParts, fields: dict[str, str]) -> Iterator[Step]:
    direction, regime = fields.get("direction", "0"), fields.get("regime", "")
    number = int(regime.ljust(3, "0"), 2)
    places = number if direction == "1" else 7 - number
    start = (1 << places) - 1 if direction == "1" else 1 - (1 << (places + 1))
    figures: dict[str, Figure] = {
        "direction": direction,
        "regime": regime.ljust(3, "0"),
        "places": places,
        "start": start,
        "characteristic": fields.get("characteristic", "").ljust(places, "0"),
        "rest": parts.exponent - start,
        "exponent": parts.exponent,
    }
    yield Step("takum.read-up" if direction == "1" else "takum.read-down", figures)
    yield Step("takum.read-characteristic" if places else "takum.read-no-characteristic", figures)
    if number_format.width < SHORTEST_WHOLE_TAKUM:
        yield Step("takum.read-padded", {"width": number_format.width})


SHORTEST_WHOLE_TAKUM = 12


def value_text_short(decoded: Decoded) -> str:
    """The value as it stands in a sentence."""
    return short_value(decoded.value) if decoded.value else value_text(decoded)


def _field_bits(magnitude: int, number_format: TaperedFormat, parts: TaperedParts) -> dict[str, str]:
    digits, found, place = _bits(magnitude, number_format.width), {}, 1
    for name, width in parts.fields:
        found[name] = digits[place : place + width]
        place += width
    return found


def _magnitude(decoded: Decoded, number_format: TaperedFormat) -> int:
    return abs(number_format.ordinal_of(decoded.code) or 0)


def _bits(value: int, width: int) -> str:
    return f"{value:0{width}b}" if width else ""
