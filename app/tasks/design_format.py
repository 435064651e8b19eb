"""A custom float from choices made one by one, and back from a format to the choices that make it."""

from collections.abc import Mapping
from dataclasses import replace

from app.errors import InvalidInput
from app.formats import BLOCKS, CATALOG, FloatFormat, Specials, find_format
from app.formats.names.custom_floats import (
    FARTHEST_BIAS,
    MOST_EXPONENT_BITS,
    MOST_MANTISSA_BITS,
    CustomParts,
    default_bias,
    default_specials,
)
from app.formats.names.options import whole_option

FIRST_EXPONENT_BITS, FIRST_MANTISSA_BITS = 4, 3
SWITCHES = {"unsigned": "no", "subnormals": "yes", "zero": "yes", "negative_zero": "yes"}
"""The choices of yes or no, each with what it is unless it is made."""
CHOICES = ("exponent", "mantissa", "bias", "specials", *SWITCHES)

_TAKEN = frozenset(name for each in (*CATALOG, *BLOCKS) for name in (each.name, *each.origin.aliases))


def read_choices(given: Mapping[str, str]) -> CustomParts:
    """The choices as they were made; blank ones are the usual ones. They may contradict each other.

    Raises:
        InvalidInput: `format.option-range`, `format.specials`, `designer.choice`.
    """
    chosen = {name: given[name].strip() for name in CHOICES if given.get(name, "").strip()}
    exponent_bits = whole_option(chosen, "exponent", lowest=0, highest=MOST_EXPONENT_BITS, default=FIRST_EXPONENT_BITS)
    mantissa_bits = whole_option(chosen, "mantissa", lowest=0, highest=MOST_MANTISSA_BITS, default=FIRST_MANTISSA_BITS)
    usual = default_bias(exponent_bits)
    bias = whole_option(chosen, "bias", lowest=-FARTHEST_BIAS, highest=FARTHEST_BIAS, default=usual)
    specials = chosen.get("specials", default_specials(exponent_bits))
    if specials not in set(Specials):
        name, known = f"e{exponent_bits}m{mantissa_bits}", ", ".join(Specials)
        raise InvalidInput("format.specials", value=specials[:20], name=name, known=known)
    switches = {name: _switch(name, chosen.get(name, usual)) for name, usual in SWITCHES.items()}
    return CustomParts(
        exponent_bits=exponent_bits,
        mantissa_bits=mantissa_bits,
        bias=bias,
        specials=Specials(specials),
        signed=not switches["unsigned"],
        has_subnormals=switches["subnormals"],
        has_zero=switches["zero"],
        allows_negative_zero=switches["negative_zero"],
    )


def build_format(parts: CustomParts) -> FloatFormat:
    """The format of choices that fit together, under its canonical name.

    Raises:
        InvalidInput: the contradiction, as `CustomParts.build` says it.
    """
    return parts.build(_TAKEN)


def parts_of_name(name: str) -> CustomParts:
    """The choices that make a float, listed or spelled out.

    Raises:
        InvalidInput: `designer.not-a-float`, `designer.integer-bit`, or what is said of a name.
    """
    found = find_format(name)
    if not isinstance(found, FloatFormat):
        raise InvalidInput("designer.not-a-float", name=found.name[:40])
    if found.has_explicit_integer_bit:
        raise InvalidInput("designer.integer-bit", name=found.name)
    return CustomParts(
        exponent_bits=found.exponent_bits,
        mantissa_bits=found.mantissa_bits,
        bias=found.bias,
        specials=found.specials,
        signed=found.signed,
        has_subnormals=found.has_subnormals,
        has_zero=found.has_zero,
        # Where no code could be minus zero, the choice is not there to be made.
        allows_negative_zero=found.allows_negative_zero or not (found.signed and found.has_zero),
    )


def resized(parts: CustomParts, *, exponent: int = 0, mantissa: int = 0) -> FloatFormat | None:
    """The same with more or fewer bits, its bias staying the usual one if it is; None where that is no format."""
    exponent_bits, mantissa_bits = parts.exponent_bits + exponent, parts.mantissa_bits + mantissa
    if not (0 <= exponent_bits <= MOST_EXPONENT_BITS and 0 <= mantissa_bits <= MOST_MANTISSA_BITS):
        return None
    is_usual = parts.bias == default_bias(parts.exponent_bits)
    changed = replace(
        parts,
        exponent_bits=exponent_bits,
        mantissa_bits=mantissa_bits,
        bias=default_bias(exponent_bits) if is_usual else parts.bias,
    )
    try:
        return build_format(changed)
    except InvalidInput:
        return None


def _switch(name: str, value: str) -> bool:
    if value not in ("yes", "no"):
        raise InvalidInput("designer.choice", name=name, value=value[:20])
    return value == "yes"
