"""Arithmetic in any format: an exact result rounded once, and the flags of IEEE 754-2019, clause 7."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.errors import InvalidInput
from app.exact.decode import Decoded, Kind, decode, to_number
from app.exact.encode import encode
from app.exact.encoding import Encoding, Outcome
from app.exact.number import Finite, Infinity, NaN, Number, from_fraction
from app.exact.rounding import Rounding, find_rounding
from app.exact.unrounded import Unrounded, first_nan, product_of, quotient_of, root_of, sum_of
from app.formats import CodebookFormat, FloatFormat, Format, PositFormat, TakumFormat

ROOT_BITS = 160
"""Bits of an irrational root that decide every rounding: numbers and midpoints of formats have at most 130."""
MOST_ROOT_BITS = 18_000

Operand = Decoded | Number


class Operation(StrEnum):
    """The operations that a format must round once (IEEE 754-2019, 5.4.1)."""

    ADD = "add"
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    DIVIDE = "divide"
    SQUARE_ROOT = "square_root"
    FUSED_MULTIPLY_ADD = "fused_multiply_add"

    @property
    def operands(self) -> int:
        """How many numbers it takes."""
        return {Operation.SQUARE_ROOT: 1, Operation.FUSED_MULTIPLY_ADD: 3}.get(self, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What happened, for every format; only IEEE 754 makes flags of it."""

    inexact: bool = False
    """Something was rounded away."""
    invalid: bool = False
    """There is no number to give: inf - inf, 0 * inf, 0/0, the root of a negative number, a signalling NaN."""
    divide_by_zero: bool = False
    """A finite number other than zero was divided by zero."""
    overflow: bool = False
    """Beyond the largest number."""
    underflow: bool = False
    """Inexact and, before rounding, below the smallest normal number (IEEE 754-2019, 7.5 b) or posit."""


@dataclass(frozen=True, slots=True)
class Result:
    """The rounded result; `encoding.number` is the exact one."""

    operation: Operation
    operands: tuple[Number, ...]
    encoding: Encoding
    stored: Decoded
    flags: Flags
    is_stand_in: bool
    """`encoding.number` is not the exact result but rounds as it does: the root is irrational, or the sum too long."""


def add(
    left: Operand, right: Operand, number_format: Format, rounding: str = "nearest_even", overflow: str | None = None
) -> Result:
    """left + right."""
    return calculate(Operation.ADD, (left, right), number_format, rounding, overflow)


def subtract(
    left: Operand, right: Operand, number_format: Format, rounding: str = "nearest_even", overflow: str | None = None
) -> Result:
    """left - right."""
    return calculate(Operation.SUBTRACT, (left, right), number_format, rounding, overflow)


def multiply(
    left: Operand, right: Operand, number_format: Format, rounding: str = "nearest_even", overflow: str | None = None
) -> Result:
    """left * right."""
    return calculate(Operation.MULTIPLY, (left, right), number_format, rounding, overflow)


def divide(
    left: Operand, right: Operand, number_format: Format, rounding: str = "nearest_even", overflow: str | None = None
) -> Result:
    """left / right."""
    return calculate(Operation.DIVIDE, (left, right), number_format, rounding, overflow)


def square_root(
    operand: Operand, number_format: Format, rounding: str = "nearest_even", overflow: str | None = None
) -> Result:
    """The square root."""
    return calculate(Operation.SQUARE_ROOT, (operand,), number_format, rounding, overflow)


def fused_multiply_add(
    left: Operand,
    right: Operand,
    addend: Operand,
    number_format: Format,
    rounding: str = "nearest_even",
    overflow: str | None = None,
) -> Result:
    """left * right + addend, rounded once."""
    return calculate(Operation.FUSED_MULTIPLY_ADD, (left, right, addend), number_format, rounding, overflow)


def calculate(
    operation: Operation,
    operands: Sequence[Operand],
    number_format: Format,
    rounding: str = "nearest_even",
    overflow: str | None = None,
) -> Result:
    """The operation on numbers of any formats, its exact result rounded once into `number_format`.

    Raises:
        InvalidInput: an unknown mode; `arithmetic.far-operand` for a number beyond every format;
            `arithmetic.division-by-zero`, `arithmetic.negative-root` or `number.no-nan` where the format has no code
            for what comes out.
    """
    assert len(operands) == operation.operands
    mode = find_rounding(rounding)
    numbers = tuple(map(_number, operands))
    exact = _unrounded(operation, numbers, number_format, mode)
    if any(isinstance(each, Decoded) and each.kind is Kind.INVALID for each in operands):
        exact = replace(exact, invalid=True)  # x87 refuses these codes (Intel SDM, volume 1, 8.2.2)
    exact = _by_the_rules_of(number_format, operation, exact)
    encoding = encode(exact.number, number_format, rounding, overflow)
    stored = decode(encoding.code, number_format)
    return Result(operation, numbers, encoding, stored, _flags(exact, encoding, stored), exact.is_stand_in)


def _number(operand: Operand) -> Number:
    number = to_number(operand) if isinstance(operand, Decoded) else operand
    if isinstance(number, Finite) and not number.is_expandable:
        raise InvalidInput("arithmetic.far-operand")
    return number


def _unrounded(
    operation: Operation, numbers: tuple[Number, ...], number_format: Format, rounding: Rounding
) -> Unrounded:
    zero_is_negative = rounding is Rounding.TOWARD_NEGATIVE and isinstance(number_format, FloatFormat)
    match operation:
        case Operation.ADD:
            return sum_of(*numbers, zero_is_negative=zero_is_negative)
        case Operation.SUBTRACT:
            # A NaN keeps its sign: only numbers are negated.
            left, right = numbers
            negated = right if isinstance(right, NaN) else replace(right, negative=not right.negative)
            return sum_of(left, negated, zero_is_negative=zero_is_negative)
        case Operation.SQUARE_ROOT:
            return root_of(numbers[0], _root_bits(numbers[0], number_format))
        case Operation.FUSED_MULTIPLY_ADD:
            return _fused(numbers, zero_is_negative=zero_is_negative)
        case _:
            binary: dict[Operation, Callable[[Number, Number], Unrounded]] = {
                Operation.MULTIPLY: product_of,
                Operation.DIVIDE: quotient_of,
            }
            return binary[operation](*numbers)


def _fused(numbers: tuple[Number, ...], *, zero_is_negative: bool) -> Unrounded:
    left, right, addend = numbers
    if any(isinstance(each, NaN) for each in numbers):
        return first_nan(*numbers)
    product = product_of(left, right)
    if product.invalid:
        return product
    total = sum_of(product.number, addend, zero_is_negative=zero_is_negative)
    return replace(total, is_stand_in=total.is_stand_in or product.is_stand_in)


def _root_bits(number: Number, number_format: Format) -> int:
    """A midpoint of a codebook is any fraction a/b: b^2 and the number's denominator say how close a root can come."""
    if not isinstance(number_format, CodebookFormat) or not isinstance(number, Finite):
        return ROOT_BITS
    longest = max(value.denominator.bit_length() for value in number_format.values)
    size = number.numerator.bit_length() + number.denominator.bit_length() + abs(number.exponent2)
    return min(ROOT_BITS + 4 * longest + 4 * abs(number.exponent10) + size, MOST_ROOT_BITS)


def _by_the_rules_of(number_format: Format, operation: Operation, exact: Unrounded) -> Unrounded:
    """Posits and takums have NaR for all that is no number (Posit Standard 2022, 5.3); others have nothing."""
    if isinstance(number_format, FloatFormat):
        return exact
    by_zero = exact.divide_by_zero or (operation is Operation.DIVIDE and exact.invalid)
    if isinstance(number_format, PositFormat | TakumFormat):
        return replace(exact, number=NaN(negative=False)) if by_zero else exact
    if by_zero:
        raise InvalidInput("arithmetic.division-by-zero", format=number_format.name)
    if exact.invalid and operation is Operation.SQUARE_ROOT:
        raise InvalidInput("arithmetic.negative-root", format=number_format.name)
    return exact


def _flags(exact: Unrounded, encoding: Encoding, stored: Decoded) -> Flags:
    outcome, number = encoding.outcome, exact.number
    lost = exact.is_stand_in or outcome in (Outcome.ROUNDED, Outcome.OVERFLOW, Outcome.UNDERFLOW)
    inexact = isinstance(number, Finite) and lost
    # A result that the format cannot stand for at all, as E8M0 cannot for zero.
    missing = isinstance(number, Finite) and outcome is Outcome.SPECIAL and stored.kind is Kind.NAN
    return Flags(
        inexact=inexact,
        invalid=exact.invalid or missing,
        divide_by_zero=exact.divide_by_zero,
        overflow=isinstance(number, Finite) and outcome is Outcome.OVERFLOW,
        underflow=inexact and _is_tiny(number, encoding),
    )


def _is_tiny(number: Number, encoding: Encoding) -> bool:
    match encoding.format:
        case FloatFormat():
            if encoding.outcome is Outcome.UNDERFLOW:
                return True
            if encoding.cut is None or isinstance(number, Infinity | NaN):
                return False
            smallest = from_fraction(encoding.format.min_normal)
            return encoding.cut.exponent < smallest.numerator.bit_length() - smallest.denominator.bit_length()
        case PositFormat() | TakumFormat():
            return encoding.outcome is Outcome.UNDERFLOW
        case _:
            return False
