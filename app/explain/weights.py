"""What each bit adds to the number where bits have weights: integers in every notation, fixed point, bool."""

from fractions import Fraction

from app.formats import BooleanFormat, FixedPointFormat, Format, IntegerFormat, Notation


def bit_weights(number_format: Format) -> tuple[Fraction, ...]:
    """The weights of the lowest bits, most significant first; none where bits have no weights of their own.

    All bits have one, except the sign of sign-magnitude. The top bit of two's complement weighs -2^(width-1), of
    one's complement 1 - 2^(width-1), in units of the last place.
    """
    if not isinstance(number_format, IntegerFormat | FixedPointFormat | BooleanFormat):
        return ()
    unit = number_format.unit if isinstance(number_format, FixedPointFormat) else Fraction(1)
    weights = [unit * (1 << position) for position in range(number_format.width - 1, -1, -1)]
    if not number_format.signed:
        return tuple(weights)
    notation = number_format.notation if isinstance(number_format, IntegerFormat) else Notation.TWOS_COMPLEMENT
    match notation:
        case Notation.TWOS_COMPLEMENT:
            return -weights[0], *weights[1:]
        case Notation.ONES_COMPLEMENT:
            return 1 - weights[0], *weights[1:]
        case Notation.SIGN_MAGNITUDE:
            return tuple(weights[1:])
