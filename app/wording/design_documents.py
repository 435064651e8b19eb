"""The constants of a float format to take away: a C header and a Python module, exact to the last bit."""

import re
from collections.abc import Iterator
from fractions import Fraction

from app.formats import FloatFormat
from app.formats.bits import hex_digits
from app.tasks.format_figures import figures_of

WORD_BITS = 64


def constants_name(number_format: FloatFormat) -> str:
    """The format's name as an identifier: `e4m3_bias_minus_3_unsigned`."""
    return re.sub(r"[^a-z0-9]+", "_", number_format.name.replace("=-", "=minus-"))


def c_header(number_format: FloatFormat) -> str:
    """`#define`s for C99 and later. Codes and masks of more than 64 bits are two words, `_HIGH` and `_LOW`.

    A number that a double does not hold exactly is a string in C's own notation, for strtold or a library of floats.
    """
    prefix = f"FLOAT_{constants_name(number_format).upper()}"
    lines = [
        f"/* {_summary(number_format)} */",
        f"#ifndef {prefix}_H",
        f"#define {prefix}_H",
        "",
        "#include <stdint.h>",
        "",
    ]
    lines += [f'#define {prefix}_NAME "{number_format.name}"']
    lines += [f"#define {prefix}_{name} {_c_integer(value)}" for name, value in _integers(number_format)]
    lines.append("")
    for name, code in _codes(number_format):
        lines += [f"#define {prefix}_{word}" for word in _c_code(name, code, number_format.width)]
    lines.append("")
    lines += [f"#define {prefix}_{name} {_c_number(value)}" for name, value in _numbers(number_format)]
    return "\n".join([*lines, "", f"#endif /* {prefix}_H */", ""])


def python_module(number_format: FloatFormat) -> str:
    """Module constants: integers, and numbers as exact fractions."""
    digits = hex_digits(number_format)
    lines = [
        f'"""{_summary(number_format)}"""',
        "",
        "from fractions import Fraction",
        "",
        f'NAME = "{number_format.name}"',
    ]
    lines += [
        f"{name} = {bool(value) if name.startswith('HAS_') else value}" for name, value in _integers(number_format)
    ]
    lines += ["", *(f"{name} = 0x{code:0{digits}x}" for name, code in _codes(number_format))]
    lines += ["", *(f"{name} = {_python_number(value)}" for name, value in _numbers(number_format)), ""]
    return "\n".join(lines)


def _summary(number_format: FloatFormat) -> str:
    fields = ", ".join(f"{name} {bits}" for name, bits in number_format.field_widths)
    return f"{number_format.name}: {number_format.width} bits ({fields}), bias {number_format.bias}."


def _integers(number_format: FloatFormat) -> Iterator[tuple[str, int]]:
    yield "BITS", number_format.width
    yield "SIGN_BITS", int(number_format.signed)
    yield "EXPONENT_BITS", number_format.exponent_bits
    yield "MANTISSA_BITS", number_format.mantissa_bits
    yield "BIAS", number_format.bias
    yield "MIN_EXPONENT", number_format.min_exponent
    yield "MAX_EXPONENT", number_format.max_exponent
    if number_format.signed:
        yield "SIGN_SHIFT", number_format.width - 1
    yield "EXPONENT_SHIFT", number_format.mantissa_bits
    yield "HAS_SUBNORMALS", int(number_format.has_subnormals)
    yield "HAS_ZERO", int(number_format.has_zero)
    yield "HAS_NEGATIVE_ZERO", int(number_format.has_negative_zero)
    yield "HAS_INFINITY", int(number_format.has_infinity)
    yield "HAS_NAN", int(number_format.has_nan)


def _codes(number_format: FloatFormat) -> Iterator[tuple[str, int]]:
    mantissa = (1 << number_format.mantissa_bits) - 1
    if number_format.signed:
        yield "SIGN_MASK", number_format.sign_mask
    yield "EXPONENT_MASK", number_format.magnitude_mask ^ mantissa
    yield "MANTISSA_MASK", mantissa
    yield "MAX_CODE", number_format.code_of(number_format.max_magnitude)
    if number_format.infinity_magnitude is not None:
        yield "INFINITY_CODE", number_format.code_of(number_format.infinity_magnitude)
    if number_format.nan_code is not None:
        yield "NAN_CODE", number_format.nan_code


def _numbers(number_format: FloatFormat) -> Iterator[tuple[str, Fraction]]:
    yield "MAX", number_format.max
    if number_format.min_normal <= number_format.max:
        yield "MIN_NORMAL", number_format.min_normal
    if number_format.min_subnormal is not None:
        yield "MIN_SUBNORMAL", number_format.min_subnormal
    epsilon = figures_of(number_format).eps
    if epsilon is not None:
        yield "EPSILON", epsilon


def _c_integer(value: int) -> str:
    return f"({value})" if value < 0 else str(value)


def _c_code(name: str, code: int, width: int) -> list[str]:
    if width <= WORD_BITS:
        return [f"{name} UINT64_C(0x{code:x})"]
    low = code & ((1 << WORD_BITS) - 1)
    return [f"{name}_HIGH UINT64_C(0x{code >> WORD_BITS:x})", f"{name}_LOW UINT64_C(0x{low:x})"]


def _c_number(value: Fraction) -> str:
    text = _hexadecimal(value)
    return text if _is_double(value) else f'"{text}"'


def _is_double(value: Fraction) -> bool:
    try:
        return Fraction(float(value)) == value
    except OverflowError:
        return False


def _odd_and_power(value: Fraction) -> tuple[int, int]:
    """A positive dyadic number as an odd number times a power of two."""
    numerator = value.numerator
    zeros = (numerator & -numerator).bit_length() - 1
    return numerator >> zeros, zeros + 1 - value.denominator.bit_length()


def _hexadecimal(value: Fraction) -> str:
    """A positive dyadic number in C's notation, with one digit, 1, before the point."""
    odd, power = _odd_and_power(value)
    bits = odd.bit_length() - 1
    nibbles = -(-bits // 4)
    digits = f"{(odd - (1 << bits)) << (4 * nibbles - bits):0{nibbles}x}" if bits else ""
    return f"0x1{'.' if digits else ''}{digits}p{power + bits:+d}"


def _python_number(value: Fraction) -> str:
    odd, power = _odd_and_power(value)
    return f"{odd} * Fraction(2) ** {power}"
