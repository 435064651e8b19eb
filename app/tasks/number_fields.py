"""The fields of one code with their bits, and the weights of bits that have them."""

from app.exact.text import exact_text
from app.explain import bit_weights
from app.formats import Format
from app.tasks.format_fields import field_bits
from app.tasks.inspection import BitWeight, Field


def fields_of(code: int, number_format: Format) -> tuple[Field, ...]:
    """The fields with their bits, which joined are the code's."""
    return tuple(Field(name, bits, str(int(bits, 2))) for name, bits in field_bits(code, number_format))


def weights_of(code: int, number_format: Format) -> tuple[BitWeight, ...]:
    """What each bit of an integer or fixed-point number adds; nothing for other families."""
    weights = bit_weights(number_format)
    return tuple(
        BitWeight(position, exact_text(weight), bool(code >> position & 1))
        for position, weight in zip(range(len(weights) - 1, -1, -1), weights, strict=True)
    )
