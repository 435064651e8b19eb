"""Floats by rule: `eXmY` with options, and IEEE P3109's `binaryKpPse`."""

import re
from dataclasses import dataclass

from app.errors import InvalidInput
from app.formats.bits import REACH, WIDEST
from app.formats.floats import FloatFormat, Specials
from app.formats.names.options import refuse_range, split_options, whole_option
from app.formats.origin import Origin

MOST_EXPONENT_BITS, MOST_MANTISSA_BITS = 15, 112
FARTHEST_BIAS = 65_535
P3109_WIDTHS = range(3, 17)

CUSTOM = re.compile(r"e(0|[1-9][0-9]{0,2})m(0|[1-9][0-9]{0,3})(?![^:])", re.ASCII)
P3109 = re.compile(r"binary([1-9][0-9]?)p([1-9][0-9]?)([su])([ef])", re.ASCII)
OPTIONS = {
    "bias": True,
    "specials": True,
    "unsigned": False,
    "no-subnormals": False,
    "no-zero": False,
    "no-negative-zero": False,
}
"""In the order in which a canonical name has them."""

CUSTOM_ORIGIN = Origin(reference="defined by its name, on the model of IEEE 754-2019, 3.4")
P3109_ORIGIN = Origin(
    reference="IEEE P3109 draft, Binary Floating-point Formats for Machine Learning, interim v4.0, 2026"
)


def default_bias(exponent_bits: int) -> int:
    """IEEE's 2^(bits-1) - 1; without exponent bits 1, so that the numbers are 0.m."""
    return (1 << (exponent_bits - 1)) - 1 if exponent_bits else 1


def default_specials(exponent_bits: int) -> Specials:
    """IEEE's; without exponent bits there is no top exponent to hold them."""
    return Specials.IEEE if exponent_bits else Specials.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomParts:
    """The choices that a custom float is made of; they may contradict each other until `build` has looked."""

    exponent_bits: int
    mantissa_bits: int
    bias: int
    specials: Specials
    signed: bool = True
    has_subnormals: bool = True
    has_zero: bool = True
    allows_negative_zero: bool = True

    @property
    def bare_name(self) -> str:
        return f"e{self.exponent_bits}m{self.mantissa_bits}"

    @property
    def options(self) -> str:
        """What differs from the usual, in the canonical order: `:bias=8:unsigned`."""
        choices = {
            f"bias={self.bias}": self.bias != default_bias(self.exponent_bits),
            f"specials={self.specials}": self.specials is not default_specials(self.exponent_bits),
            "unsigned": not self.signed,
            "no-subnormals": not self.has_subnormals,
            "no-zero": not self.has_zero,
            "no-negative-zero": not self.allows_negative_zero,
        }
        return "".join(f":{choice}" for choice, is_made in choices.items() if is_made)

    def build(self, taken: frozenset[str]) -> FloatFormat:
        """The format under its canonical name. A bare name that is `taken` gets its specials said.

        Raises:
            InvalidInput: `format.too-wide`, `format.bias`, or the contradiction between two parts.
        """
        self._refuse_sizes()
        self._refuse_contradictions()
        name = self.bare_name + self.options
        return FloatFormat(
            name=f"{name}:specials={self.specials}" if name in taken else name,
            exponent_bits=self.exponent_bits,
            mantissa_bits=self.mantissa_bits,
            bias=self.bias,
            specials=self.specials,
            signed=self.signed,
            has_subnormals=self.has_subnormals,
            has_zero=self.has_zero,
            allows_negative_zero=self.allows_negative_zero,
            origin=CUSTOM_ORIGIN,
        )

    def _refuse_sizes(self) -> None:
        width = int(self.signed) + self.exponent_bits + self.mantissa_bits
        if width > WIDEST:
            raise InvalidInput("format.too-wide", name=self.bare_name, width=width, widest=WIDEST)
        if self.exponent_bits + self.mantissa_bits == 0:
            raise InvalidInput("format.no-bits", name=self.bare_name)
        # Biases may move a format, but not beyond what every page and every text can show.
        lowest, highest = (1 << self.exponent_bits) - REACH, REACH - self.mantissa_bits
        if not lowest <= self.bias <= highest:
            raise InvalidInput("format.bias", name=self.bare_name, bias=self.bias, lowest=lowest, highest=highest)

    def _refuse_contradictions(self) -> None:
        has_exponent, is_ieee = self.exponent_bits > 0, self.specials is Specials.IEEE
        lacks_minus_zero = not self.allows_negative_zero
        contradictions = {
            "format.no-exponent-for-specials": not has_exponent and is_ieee,
            "format.no-exponent-for-normals": not has_exponent and not self.has_subnormals,
            "format.zero-without-subnormals": self.has_subnormals and not self.has_zero,
            "format.no-minus-zero-anyway": lacks_minus_zero and not (self.signed and self.has_zero),
            "format.minus-zero-means-nothing": lacks_minus_zero and self.specials is Specials.NONE,
            "format.nothing-left": self._finite_magnitudes() <= int(self.has_zero),
        }
        for code, is_so in contradictions.items():
            if is_so:
                raise InvalidInput(code, name=self.bare_name)

    def _finite_magnitudes(self) -> int:
        at_minus_zero = int(not self.allows_negative_zero)
        not_finite = {
            Specials.IEEE: 1 << self.mantissa_bits,
            Specials.INFINITY_NAN: 2 - at_minus_zero,
            Specials.NAN_ONLY: 1 - at_minus_zero,
            Specials.NONE: 0,
        }
        return (1 << (self.exponent_bits + self.mantissa_bits)) - not_finite[self.specials]


def custom_float(text: str, taken: frozenset[str]) -> FloatFormat | None:
    """The format of an `eXmY` name; None for a name of another kind. `taken` are bare names that mean another format.

    Raises:
        InvalidInput: for a name of that kind which no format can have; the sentence says why.
    """
    match = CUSTOM.match(text)
    if match is None:
        return None
    bare, options = split_options(text, OPTIONS)
    exponent_bits, mantissa_bits = int(match[1]), int(match[2])
    if exponent_bits > MOST_EXPONENT_BITS:
        refuse_range("e", match[1], 0, MOST_EXPONENT_BITS)
    if mantissa_bits > MOST_MANTISSA_BITS:
        refuse_range("m", match[2], 0, MOST_MANTISSA_BITS)
    usual_bias = default_bias(exponent_bits)
    parts = CustomParts(
        exponent_bits=exponent_bits,
        mantissa_bits=mantissa_bits,
        bias=whole_option(options, "bias", lowest=-FARTHEST_BIAS, highest=FARTHEST_BIAS, default=usual_bias),
        specials=_specials(options, exponent_bits, bare),
        signed="unsigned" not in options,
        has_subnormals="no-subnormals" not in options,
        has_zero="no-zero" not in options,
        allows_negative_zero="no-negative-zero" not in options,
    )
    return parts.build(taken)


def p3109_float(text: str) -> FloatFormat | None:
    """The format of a P3109 name; None for a name of another kind.

    Raises:
        InvalidInput: `format.option-range`, for a width or precision that the draft does not have.
    """
    match = P3109.fullmatch(text)
    if match is None:
        return None
    width, precision, is_signed = int(match[1]), int(match[2]), match[3] == "s"
    if width not in P3109_WIDTHS:
        refuse_range("K", match[1], P3109_WIDTHS[0], P3109_WIDTHS[-1])
    most = width - 1 if is_signed else width
    if precision > most:
        refuse_range("P", match[2], 1, most)
    exponent_bits = width - precision + (0 if is_signed else 1)
    return FloatFormat(
        name=text,
        exponent_bits=exponent_bits,
        mantissa_bits=precision - 1,
        bias=1 << (exponent_bits - 1),
        specials=Specials.INFINITY_NAN if match[4] == "e" else Specials.NAN_ONLY,
        signed=is_signed,
        allows_negative_zero=not is_signed,
        origin=P3109_ORIGIN,
    )


def _specials(options: dict[str, str], exponent_bits: int, bare: str) -> Specials:
    text = options.get("specials")
    if text is None:
        return default_specials(exponent_bits)
    if text not in set(Specials):
        raise InvalidInput("format.specials", value=text[:20], name=bare, known=", ".join(Specials))
    return Specials(text)
