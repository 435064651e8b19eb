"""Exact + - * / ^ on numbers whose powers of two and five stay unexpanded; every result is bounded before it is made.

A number is n/d * 5^fives * 2^twos here. Signs of zeros are those of IEEE 754-2019, 6.3: 1-1 is +0, 0*-1 is -0.
"""

from dataclasses import dataclass, replace
from typing import Never

from app.errors import NumberSyntaxError
from app.exact.number import LONGEST_EXPANSION, Finite

LONGEST_EXPONENT = 30_000
"""Bits of an exponent that is never expanded: those of two literals of 4,096 characters multiplied."""
MOST_WORK = 8_000_000
"""Products of 30-bit digits in one expression: about 10 ms."""


@dataclass(slots=True)
class Arithmetic:
    """The operations, and how much work of the expression they have done so far."""

    spent: int = 0

    def add(self, left: Finite, right: Finite, at: int) -> Finite:
        """The sum; `at` is the operator's place, for what is refused."""
        if left.is_zero or right.is_zero:
            return _sum_with_zero(left, right)
        fives = min(left.exponent10, right.exponent10)
        twos = min(_twos(left), _twos(right))
        sizes = [
            number.numerator.bit_length() + 3 * (number.exponent10 - fives) + _twos(number) - twos
            for number in (left, right)
        ]
        denominators = left.denominator.bit_length() + right.denominator.bit_length()
        if max(sizes) + 2 * denominators > LONGEST_EXPANSION:
            _refuse("number.too-far-apart", at)
        terms = []
        for number, other in ((left, right), (right, left)):
            self._charge(number.numerator.bit_length(), 3 * (number.exponent10 - fives), at)
            term = number.numerator * 5 ** (number.exponent10 - fives) << (_twos(number) - twos)
            self._charge(term.bit_length(), other.denominator.bit_length(), at)
            term *= other.denominator
            terms.append(-term if number.negative else term)
        total = terms[0] + terms[1]
        if total == 0:
            return Finite(negative=False, numerator=0)
        return self._number(total < 0, abs(total), left.denominator * right.denominator, (fives, twos), at)

    def multiply(self, left: Finite, right: Finite, at: int) -> Finite:
        """The product."""
        self._charge(left.numerator.bit_length(), right.numerator.bit_length(), at)
        self._charge(left.denominator.bit_length(), right.denominator.bit_length(), at)
        negative = left.negative != right.negative
        if left.is_zero or right.is_zero:
            return Finite(negative, 0)
        exponents = left.exponent10 + right.exponent10, _twos(left) + _twos(right)
        numerator, denominator = left.numerator * right.numerator, left.denominator * right.denominator
        return self._number(negative, numerator, denominator, exponents, at)

    def divide(self, left: Finite, right: Finite, at: int) -> Finite:
        """The quotient.

        Raises:
            NumberSyntaxError: `number.division-by-zero` at the slash.
        """
        if right.is_zero:
            _refuse("number.division-by-zero", at)
        return self.multiply(left, _inverse(right), at)

    def power(self, base: Finite, exponent: Finite, at: int) -> Finite:
        """The base to a whole power; 0^0 is 1, as for `pown` of IEEE 754-2019, 9.2."""
        whole = self._whole(exponent, at)
        negative = base.negative and whole % 2 == 1
        if whole == 0:
            return Finite(negative=False, numerator=1)
        if base.is_zero:
            if whole < 0:
                _refuse("number.division-by-zero", at)
            return Finite(negative, 0)
        if whole < 0:
            base, whole = _inverse(base), -whole
        base = _without_powers(base)
        odd = [part for part in (base.numerator, base.denominator) if part > 1]
        # Looked at before anything is computed: k bits to the power n have about n*k.
        bits = [part.bit_length() * whole for part in odd]
        if sum(bits) > LONGEST_EXPANSION:
            _refuse("number.too-big", at)
        for size in bits:
            self._charge(size, size // 3, at)
        exponents = base.exponent10 * whole, _twos(base) * whole
        numerator = base.numerator**whole if base.numerator > 1 else 1
        denominator = base.denominator**whole if base.denominator > 1 else 1
        return self._number(negative, numerator, denominator, exponents, at)

    def _whole(self, exponent: Finite, at: int) -> int:
        if not exponent.is_expandable or exponent.log2_bounds()[0] > LONGEST_EXPONENT:
            _refuse("number.too-big", at)
        numerator, denominator = exponent.ratio()
        whole, rest = divmod(numerator, denominator)
        if rest:
            _refuse("number.exponent-not-whole", at)
        return -whole if exponent.negative else whole

    def _charge(self, left_bits: int, right_bits: int, at: int) -> None:
        self.spent += (left_bits // 30 + 1) * (right_bits // 30 + 1)
        if self.spent > MOST_WORK:
            _refuse("number.too-big", at)

    def _number(
        self,
        negative: bool,  # noqa: FBT001  the sign, as in Finite
        numerator: int,
        denominator: int,
        exponents: tuple[int, int],
        at: int,
    ) -> Finite:
        fives, twos = exponents
        size = numerator.bit_length() + denominator.bit_length()
        if size > LONGEST_EXPANSION or max(fives.bit_length(), twos.bit_length()) > LONGEST_EXPONENT:
            _refuse("number.too-big", at)
        return Finite(negative, numerator, denominator, exponent10=fives, exponent2=twos - fives)


def check_reach(number: Finite, at: int) -> Finite:
    """The number itself, if every format can take it: short enough to be written out, or out of every reach.

    Large ones must be whole up to their denominator too, so that what is left after wrapping can be found.
    """
    if number.is_expandable:
        return number
    is_large = number.log2_bounds()[0] > 0
    if not number.is_far_away or (is_large and (number.exponent10 < 0 or _twos(number) < 0)):
        _refuse("number.too-big", at)
    return number


def negated(number: Finite) -> Finite:
    """The number with the other sign, zeros included."""
    return replace(number, negative=not number.negative)


def _twos(number: Finite) -> int:
    return number.exponent10 + number.exponent2


def _inverse(number: Finite) -> Finite:
    return Finite(
        number.negative,
        number.denominator,
        number.numerator,
        exponent10=-number.exponent10,
        exponent2=-number.exponent2,
    )


def _sum_with_zero(left: Finite, right: Finite) -> Finite:
    if left.is_zero and right.is_zero:
        return Finite(left.negative and right.negative, 0)
    return right if left.is_zero else left


def _without_powers(number: Finite) -> Finite:
    """The same number with the twos and fives of numerator and denominator moved into the exponents."""
    numerator, fives_above, twos_above = _stripped(number.numerator)
    denominator, fives_below, twos_below = _stripped(number.denominator)
    fives = number.exponent10 + fives_above - fives_below
    twos = _twos(number) + twos_above - twos_below
    return Finite(number.negative, numerator, denominator, exponent10=fives, exponent2=twos - fives)


def _stripped(number: int) -> tuple[int, int, int]:
    twos = (number & -number).bit_length() - 1
    number >>= twos
    fives = 0
    powers = [5]
    while powers[-1].bit_length() * 2 <= number.bit_length() + 2:
        powers.append(powers[-1] ** 2)
    for step in range(len(powers) - 1, -1, -1):
        quotient, rest = divmod(number, powers[step])
        if rest == 0:
            number, fives = quotient, fives + (1 << step)
    return number, fives, twos


def _refuse(code: str, position: int) -> Never:
    raise NumberSyntaxError(code, position=position, place=position + 1)
