"""Numbers into blocks that share a scale, and back: exact arithmetic, one rounding a scale and one an element.

OCP Microscaling Formats (MX) 1.0, section 6.3, and NVIDIA's NVFP4 with its second scale for the whole tensor. A block
with NaN or infinity in it has the scale NaN and so is NaN altogether (MX 1.0, 5.1): no finite scale would hold it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from app.errors import InvalidInput
from app.exact.decode import decode, to_number
from app.exact.encode import encode
from app.exact.number import Finite, Infinity, NaN, Number, from_fraction
from app.exact.rounding import Overflow
from app.formats import BlockFormat, FixedPointFormat, FloatFormat
from app.formats.bits import floor_log2, power_of_two

_IN_REACH = 1000
"""Magnitudes are looked at up to 2^+-1000: a block's numbers end near 2^143, so that beyond only the side matters."""


class ScaleRule(StrEnum):
    """How the largest magnitude of a block becomes a power of two; emax is the element's largest exponent."""

    FLOOR = "floor"
    """2^(floor(log2(amax)) - emax): MX 1.0, 6.3. The largest element may be clipped."""
    CEIL = "ceil"
    """2^(ceil(log2(amax)) - emax)."""
    RCEIL = "rceil"
    """The smallest power of two, not below amax / largest element: NVIDIA's, which clips nothing."""
    EVEN = "even"
    """As floor, of amax with its significand rounded (halves up) to the bits of the element."""


@dataclass(frozen=True, slots=True)
class BlockEncoding:
    """A block's codes. What an element stands for is given by `decode_block`."""

    format: BlockFormat
    scale_rule: ScaleRule
    scale_code: int
    element_codes: tuple[int, ...]
    tensor_scale: Fraction | None
    """A number of the tensor scale's own format; None where the format has none."""


def encode_block(
    numbers: Sequence[Number],
    block_format: BlockFormat,
    scale_rule: ScaleRule = ScaleRule.FLOOR,
    tensor_scale: Fraction | None = None,
) -> BlockEncoding:
    """The codes of one block; elements beyond the largest saturate.

    `scale_rule` is for scales that are powers of two. NVFP4 has the rule of its own, amax / largest element /
    tensor scale, to the nearest E4M3 and not clamped at its smallest normal number; its tensor scale, rounded to
    float32, is the one given, or else that of these numbers as the whole tensor.

    Raises:
        InvalidInput: `block.size` for no numbers or more than the block holds, `block.tensor-scale` for one that is
            no positive number of its format, or that the format does not have.
    """
    _refuse_size(len(numbers), block_format)
    finite = [number for number in numbers if isinstance(number, Finite)]
    largest = max((_magnitude(number) for number in finite), default=Fraction(0))
    tensor = _tensor_scale(largest, block_format, tensor_scale)
    if len(finite) < len(numbers):
        element_codes = (_nan_element(block_format.element),) * len(numbers)
        return BlockEncoding(block_format, scale_rule, _nan_code(block_format.scale), element_codes, tensor)
    scale_code = _scale_code(largest, block_format, scale_rule, tensor)
    scale = decode(scale_code, block_format.scale).value
    assert scale is not None
    element_codes = tuple(_element_code(number, block_format.element, scale * (tensor or 1)) for number in finite)
    return BlockEncoding(block_format, scale_rule, scale_code, element_codes, tensor)


def decode_block(
    scale_code: int, element_codes: Sequence[int], block_format: BlockFormat, tensor_scale: Fraction | None = None
) -> tuple[Number, ...]:
    """The exact numbers of a block: element * scale * tensor scale (1 where it is not given).

    Raises:
        InvalidInput: `code.out-of-range`, `block.size`, `block.tensor-scale`.
    """
    _refuse_size(len(element_codes), block_format)
    tensor = None if tensor_scale is None else _tensor_scale(Fraction(0), block_format, tensor_scale)
    scale = decode(scale_code, block_format.scale).value
    numbers = [to_number(decode(code, block_format.element)) for code in element_codes]
    if scale is None:
        return (NaN(negative=False),) * len(numbers)
    return tuple(_in_lowest_terms(_times(number, scale * (tensor or 1))) for number in numbers)


def default_tensor_scale(largest: Fraction, block_format: BlockFormat) -> Fraction:
    """amax / (largest scale * largest element) in the tensor scale's format, which NVIDIA chooses; 1 for a zero tensor.

    With it the block of the largest number has the largest scale.
    """
    assert block_format.tensor_scale is not None
    wanted = largest / (block_format.scale.max * block_format.element.max)
    code = encode(from_fraction(wanted), block_format.tensor_scale, overflow=Overflow.SATURATE).code
    return decode(code, block_format.tensor_scale).value or Fraction(1)


def _refuse_size(count: int, block_format: BlockFormat) -> None:
    if not 1 <= count <= block_format.block_size:
        raise InvalidInput("block.size", count=count, size=block_format.block_size, format=block_format.name)


def _tensor_scale(largest: Fraction, block_format: BlockFormat, given: Fraction | None) -> Fraction | None:
    tensor_format = block_format.tensor_scale
    if tensor_format is None:
        if given is not None:
            raise InvalidInput("block.no-tensor-scale", format=block_format.name)
        return None
    if given is None:
        return default_tensor_scale(largest, block_format)
    value = decode(encode(from_fraction(given), tensor_format).code, tensor_format).value
    if value is None or value <= 0:
        raise InvalidInput("block.tensor-scale", format=block_format.name, scale=tensor_format.name)
    return value


def _magnitude(number: Finite) -> Fraction:
    if number.is_zero:
        return Fraction(0)
    low, high = number.log2_bounds()
    if low > _IN_REACH or high < -_IN_REACH:
        return power_of_two(_IN_REACH if low > 0 else -_IN_REACH)
    return abs(number.fraction())


def _scale_code(largest: Fraction, block_format: BlockFormat, rule: ScaleRule, tensor: Fraction | None) -> int:
    scale_format = block_format.scale
    if tensor is not None:
        wanted = from_fraction(largest / block_format.element.max / tensor)
        return encode(wanted, scale_format, overflow=Overflow.SATURATE).code
    if largest == 0:
        return 0  # The smallest scale: every scale would do, and this one is what implementations give.
    exponent = _scale_exponent(largest, block_format, rule)
    return min(max(exponent + scale_format.bias, 0), scale_format.max_magnitude)


def _scale_exponent(largest: Fraction, block_format: BlockFormat, rule: ScaleRule) -> int:
    if rule is ScaleRule.RCEIL:
        return _ceil_log2(largest / block_format.element.max)
    if rule is ScaleRule.CEIL:
        return _ceil_log2(largest) - block_format.element_max_exponent
    exponent = floor_log2(*largest.as_integer_ratio())
    if rule is ScaleRule.EVEN:
        significand = largest * power_of_two(-exponent)
        exponent += significand >= 2 - power_of_two(-_fraction_bits(block_format.element) - 1)
    return exponent - block_format.element_max_exponent


def _ceil_log2(value: Fraction) -> int:
    exponent = floor_log2(*value.as_integer_ratio())
    return exponent + (value > power_of_two(exponent))


def _fraction_bits(element: FloatFormat | FixedPointFormat) -> int:
    return element.mantissa_bits if isinstance(element, FloatFormat) else element.fraction_bits


def _element_code(number: Finite, element: FloatFormat | FixedPointFormat, scale: Fraction) -> int:
    if scale == 0:
        return encode(Finite(number.negative, 0), element).code
    code = encode(_times(number, 1 / scale), element, overflow=Overflow.SATURATE).code
    if isinstance(element, FixedPointFormat):
        # MX 1.0, 5.3.4 and table 1: the largest magnitude is 1 63/64 on both sides, so -2 stays unused.
        code = element.code_at(max(element.ordinal_of(code), -element.last_ordinal))
    return code


def _times(number: Number, factor: Fraction) -> Number:
    if not isinstance(number, Finite):
        return NaN(negative=False) if isinstance(number, Infinity) and not factor else number
    if number.is_zero or not factor:
        return Finite(number.negative, 0)
    numerator, denominator = number.numerator * factor.numerator, number.denominator * factor.denominator
    return replace(number, numerator=numerator, denominator=denominator)


def _in_lowest_terms(number: Number) -> Number:
    if not isinstance(number, Finite):
        return number
    value = abs(number.fraction())
    return Finite(number.negative, value.numerator, value.denominator)


def _nan_code(scale_format: FloatFormat) -> int:
    assert scale_format.nan_code is not None, "every block scale in use has a NaN"
    return scale_format.nan_code


def _nan_element(element: FloatFormat | FixedPointFormat) -> int:
    """NaN where the element has one, else 0: the scale says it all."""
    return element.nan_code or 0 if isinstance(element, FloatFormat) else 0
