"""The fields of one code of any family, without torch: a posit's borders move from code to code."""

from app.formats import Format, PositFormat, TakumFormat

FieldBits = tuple[str, str]
"""The name of a field and its bits."""


def field_widths_of(code: int, number_format: Format) -> tuple[tuple[str, int], ...]:
    """Names and widths for this very code, most significant first; those of a negative posit are its negation's."""
    if not isinstance(number_format, PositFormat | TakumFormat):
        return number_format.field_widths
    ordinal = number_format.ordinal_of(code)
    if not ordinal:  # zero and NaR: a sign bit and nothing to take apart
        rest = number_format.width - 1
        return (("sign", 1), ("regime" if isinstance(number_format, PositFormat) else "direction", rest))
    return ("sign", 1), *number_format.parts(abs(ordinal)).fields


def field_bits(code: int, number_format: Format) -> tuple[FieldBits, ...]:
    """The code cut into its fields."""
    bits, start, parts = f"{code:0{number_format.width}b}", 0, []
    for name, width in field_widths_of(code, number_format):
        parts.append((name, bits[start : start + width]))
        start += width
    return tuple(parts)
