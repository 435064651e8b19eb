"""What is asked about one number, and everything that is known about the answer.

Exact numbers are strings: a finite decimal (positional up to 1,200 characters, else scientific), else `p/q`; the
specials are `inf`, `-inf`, `nan`.
"""

from dataclasses import dataclass

from app.explain import Step
from app.formats import Format


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectRequest:
    """Exactly one of `value` (a number as text) and `bits` (a code: `0x...`, `0b...`, bare binary digits) is given."""

    format: str
    value: str | None = None
    bits: str | None = None
    rounding: str = "nearest_even"
    overflow: str | None = None
    """None: the format's own default, `ieee` for floats and `saturate` for integers."""


@dataclass(frozen=True, slots=True)
class Field:
    """A run of neighbouring bits, most significant first.

    `sign exponent mantissa` of floats (and the `integer` bit of x87), `sign regime exponent fraction` of posits, `sign
    direction regime characteristic fraction` of takums, `integer` or `sign magnitude` of integers, `integer fraction`
    of fixed point, `index` of codebooks.
    """

    name: str
    bits: str
    value: str
    """The field read as an unsigned integer."""


@dataclass(frozen=True, slots=True)
class BitWeight:
    """What one bit of an integer or fixed-point number adds when it is set, as a decimal: `-128`, `64`, ..., `1`."""

    position: int
    weight: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The next representable number on one side."""

    hex: str
    value: str


@dataclass(frozen=True, slots=True)
class RoundingError:
    """|stored - typed|: `relative` to the typed number (None where that is zero), `ulps` in ulps of the stored one."""

    absolute: str
    """Of a hex float far out of every format's reach, that hex float: its decimal may be endless to write."""
    relative: str | None
    ulps: str | None
    direction: str
    """`exact`, or where the stored number lies: `above` or `below` the typed one."""


@dataclass(frozen=True, slots=True)
class Formula:
    """The figures of (-1)^sign * 2^exponent * significand, for a finite float, posit or takum."""

    sign: int
    exponent_field: int | None
    bias: int | None
    """Of floats only: there the exponent is exponent_field - bias."""
    exponent: int
    """The power of two that is really used: for subnormals 1 - bias."""
    significand_bits: str
    """Binary, with its point: `1.1001101`, or `0.0000001` for a subnormal."""
    significand: str
    """The same as an exact decimal."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What a library gives for the same input; `hex` is None where it has no such cast."""

    library: str
    hex: str | None
    value: str | None
    agrees: bool | None
    reason: Step | None
    """Why it differs, where that is known."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The same number in another format. `hex` is None where the format refuses it; `refusal` then says why."""

    format: str
    hex: str | None
    value: str | None
    relative: str | None
    is_exact: bool
    refusal: Step | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """Everything about one number in one format."""

    format: Format
    input: str
    """What was typed; for a code, its exact value."""
    by_bits: bool
    code: int
    hex: str
    """`0x` and ceil(width/4) lower-case digits."""
    bits: str
    fields: tuple[Field, ...]
    weights: tuple[BitWeight, ...]
    """Of integers, fixed point and bool; of sign-magnitude without the sign. Empty for other families."""
    kind: str
    """normal, subnormal, zero, infinity, nan, nar, invalid or integer."""
    value: str
    fraction: str | None
    hexfloat: str | None
    formula: Formula | None
    ulp: str | None
    error: RoundingError | None
    """None when asked by bits."""
    previous: Neighbour | None
    next: Neighbour | None
    witnesses: tuple[Witness, ...]
    steps: tuple[Step, ...]
    elsewhere: tuple[Elsewhere, ...]
