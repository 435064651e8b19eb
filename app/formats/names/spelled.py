"""Every name that spells its format out, whatever the kind."""

import re

from app.errors import InvalidInput
from app.formats.bits import WIDEST
from app.formats.codebooks import CodebookFormat
from app.formats.fixed_point import FixedPointFormat
from app.formats.floats import FloatFormat
from app.formats.integers import IntegerFormat, Notation
from app.formats.names.codebook_names import named_codebook
from app.formats.names.custom_floats import custom_float, p3109_float
from app.formats.names.options import refuse_range, split_options, whole_option
from app.formats.origin import Origin
from app.formats.tapered import PositFormat, TakumFormat

INTEGER = re.compile(r"(int|uint|i|s|u)([1-9][0-9]{0,3})(?![^:])", re.ASCII)
FIXED_POINT = re.compile(r"(u?)q(0|[1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})", re.ASCII)
POSIT = re.compile(r"posit([1-9][0-9]{0,3})(?![^:])", re.ASCII)
TAKUM = re.compile(r"takum_linear([1-9][0-9]{0,3})", re.ASCII)
NOTATIONS = {Notation.SIGN_MAGNITUDE.value: False, Notation.ONES_COMPLEMENT.value: False}
STANDARD_EXPONENT_SIZE = 2
MOST_EXPONENT_SIZE = 8

C_INTEGER = "ISO/IEC 9899:2024, 6.2.6.2"
INTEGER_ORIGINS = {
    Notation.TWOS_COMPLEMENT: Origin(reference=f"two's complement, {C_INTEGER}"),
    Notation.ONES_COMPLEMENT: Origin(reference="one's complement, ISO/IEC 9899:2018, 6.2.6.2"),
    Notation.SIGN_MAGNITUDE: Origin(reference="sign and magnitude, ISO/IEC 9899:2018, 6.2.6.2"),
}
UNSIGNED_ORIGIN = Origin(reference=C_INTEGER)
FIXED_POINT_ORIGIN = Origin(reference="Q notation of ARM, ADS Developer Guide, 2001, 6.13: the sign bit is not counted")
POSIT_ORIGIN = Origin(reference="Posit Standard, 2022, section 3")
OLD_POSIT_ORIGIN = Origin(reference="Gustafson and Yonemoto, Beating Floating Point at its Own Game, 2017")
TAKUM_ORIGIN = Origin(reference="Hunhold, Takum Arithmetic, 2024 (arXiv:2404.18603), linear as in arXiv:2408.10594")

Spelled = FloatFormat | IntegerFormat | FixedPointFormat | PositFormat | TakumFormat | CodebookFormat


def spelled_format(text: str, taken: frozenset[str]) -> Spelled | None:
    """The format that a name spells; None where it spells none. `taken` are bare names that mean another format.

    Raises:
        InvalidInput: for a name that is of a known kind and yet names nothing; the sentence says why.
    """
    return (
        custom_float(text, taken)
        or p3109_float(text)
        or _integer(text)
        or _fixed_point(text)
        or _posit(text)
        or _takum(text)
        or named_codebook(text)
    )


def integer_format(width: int, *, signed: bool, notation: Notation = Notation.TWOS_COMPLEMENT) -> IntegerFormat:
    """The integer of that width under its canonical name."""
    name = f"{'' if signed else 'u'}int{width}"
    if notation is not Notation.TWOS_COMPLEMENT:
        name += f":{notation}"
    origin = INTEGER_ORIGINS[notation] if signed else UNSIGNED_ORIGIN
    return IntegerFormat(name=name, width=width, signed=signed, notation=notation, origin=origin)


def posit_format(width: int, exponent_size: int = STANDARD_EXPONENT_SIZE) -> PositFormat:
    """The posit of that width under its canonical name."""
    is_standard = exponent_size == STANDARD_EXPONENT_SIZE
    name = f"posit{width}" if is_standard else f"posit{width}:es={exponent_size}"
    origin = POSIT_ORIGIN if is_standard else OLD_POSIT_ORIGIN
    return PositFormat(name=name, width=width, exponent_size=exponent_size, origin=origin)


def takum_format(width: int) -> TakumFormat:
    """The linear takum of that width under its canonical name."""
    return TakumFormat(name=f"takum_linear{width}", width=width, origin=TAKUM_ORIGIN)


def fixed_point_format(integer_bits: int, fraction_bits: int, *, signed: bool) -> FixedPointFormat:
    """The fixed-point format under its canonical name."""
    return FixedPointFormat(
        name=f"{'' if signed else 'u'}q{integer_bits}.{fraction_bits}",
        integer_bits=integer_bits,
        fraction_bits=fraction_bits,
        signed=signed,
        origin=FIXED_POINT_ORIGIN,
    )


def _width(text: str, name: str, lowest: int = 1) -> int:
    if not lowest <= int(text) <= WIDEST:
        refuse_range(name, text, lowest, WIDEST)
    return int(text)


def _integer(text: str) -> IntegerFormat | None:
    match = INTEGER.match(text)
    if match is None:
        return None
    signed = match[1] in ("int", "i", "s")
    _, options = split_options(text, NOTATIONS if signed else {})
    if len(options) > 1:
        raise InvalidInput("format.two-notations", name=match[0])
    notation = Notation(next(iter(options), Notation.TWOS_COMPLEMENT))
    return integer_format(_width(match[2], "width"), signed=signed, notation=notation)


def _fixed_point(text: str) -> FixedPointFormat | None:
    match = FIXED_POINT.fullmatch(text)
    if match is None:
        return None
    signed, integer_bits, fraction_bits = not match[1], int(match[2]), int(match[3])
    width = int(signed) + integer_bits + fraction_bits
    if width > WIDEST:
        raise InvalidInput("format.too-wide", name=text, width=width, widest=WIDEST)
    if integer_bits + fraction_bits == 0:
        raise InvalidInput("format.no-bits", name=text)
    return fixed_point_format(integer_bits, fraction_bits, signed=signed)


def _posit(text: str) -> PositFormat | None:
    match = POSIT.match(text)
    if match is None:
        return None
    _, options = split_options(text, {"es": True})
    size = whole_option(options, "es", lowest=0, highest=MOST_EXPONENT_SIZE, default=STANDARD_EXPONENT_SIZE)
    return posit_format(_width(match[1], "width", lowest=2), size)


def _takum(text: str) -> TakumFormat | None:
    match = TAKUM.fullmatch(text)
    return None if match is None else takum_format(_width(match[1], "width", lowest=2))
