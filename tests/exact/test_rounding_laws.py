"""Rounding by its definition: between any two neighbouring numbers of a format, in every mode.

The oracle knows the sorted list of a format's numbers, the code of each, and nothing of how a code is found.
"""

import random
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise, product

import pytest

from app.errors import InvalidInput
from app.exact import Finite, Kind, Outcome, Rounding, decode, encode, from_fraction, neighbours, to_number
from app.formats import (
    CATALOG,
    BooleanFormat,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    PositFormat,
    TakumFormat,
    find_format,
)

SPELLED = (
    *("e1m0:specials=none", "e1m2", "e1m3:no-negative-zero", "e2m0", "e3m0:specials=none", "e4m0:no-subnormals"),
    *("e0m3", "e0m4:specials=nan-only", "e0m5:bias=-3:unsigned", "e0m3:specials=infinity-nan", "e5m0:no-subnormals"),
    *("e3m2:no-subnormals", "e3m3:no-subnormals:no-zero", "e3m2:specials=none:no-subnormals:no-zero"),
    *("e3m2:specials=none:unsigned:no-subnormals:no-zero", "e4m3:unsigned", "e3m4:no-negative-zero"),
    *("e3m3:bias=40:unsigned:specials=none:no-subnormals", "e2m3:bias=-30:specials=infinity-nan", "e5m6", "e4m7"),
    *("e4m7:no-subnormals", "e6m5:specials=nan-only:no-negative-zero", "e8m3:unsigned:no-subnormals:no-zero"),
    *(f"binary{width}p{precision}{kind}" for width in (3, 5, 7) for precision in (1, 2) for kind in ("sf", "ue", "se")),
    *("binary8p8uf", "binary8p7se", "binary11p4se", "binary12p12ue"),
    *(f"posit{width}:es={size}" for width, size in product((3, 5, 8), (0, 1, 3, 8))),
    *("posit2", "posit3", "posit4", "posit6", "posit12", "posit10:es=4"),
    *("takum_linear2", "takum_linear3", "takum_linear5", "takum_linear7", "takum_linear12"),
    *("int1", "int3", "int12", "uint7", "int1:ones-complement", "int2:sign-magnitude", "int7:ones-complement"),
    *("int11:sign-magnitude", "q0.1", "q3.2", "uq0.5", "uq4.4", "q2.9"),
    *("codebook:-1,1", "codebook:3,-2,0.5", "codebook:0,1,-1,0,0.25", "codebook:-8,-0.1,0.3,1e20", "codebook:0,1e-40"),
)


def every_small_float() -> Iterator[str]:
    """One in a few of all the choices that a float of at most 7 bits has."""
    choices = product(
        range(5),
        range(4),
        ("", ":bias=3"),
        *(("", f":specials={name}") for name in ("none",)),
        ("", ":unsigned"),
        ("", ":no-subnormals", ":no-subnormals:no-zero"),
        ("", ":no-negative-zero"),
    )
    for place, (exponent_bits, mantissa_bits, *options) in enumerate(choices):
        if place % 4 == 1:
            yield f"e{exponent_bits}m{mantissa_bits}" + "".join(options)
        if place % 7 == 2:
            yield f"e{exponent_bits}m{mantissa_bits}:specials=nan-only" + "".join(options).replace(":specials=none", "")


def formats() -> list[Format]:
    """The catalog's formats of at most 12 bits, and the spelled ones that there are."""
    found = {each.name: each for each in CATALOG if each.width <= 12 and not isinstance(each, BooleanFormat)}
    for name in (*SPELLED, *every_small_float()):
        try:
            each = find_format(name)
        except InvalidInput:
            assert name not in SPELLED
            continue
        found[each.name] = each
    return list(found.values())


ALL = formats()
FLOATS = [each for each in ALL if isinstance(each, FloatFormat)]


def named(number_format: Format) -> str:
    return number_format.name


@cache
def numbers_in_order(number_format: Format) -> tuple[tuple[Fraction, int], ...]:
    """Every finite number once, with its code (zero with that of +0)."""
    found: dict[Fraction, int] = {}
    for code in range(1 << number_format.width):
        value = number_format.value_of(code)
        if value is not None and not (isinstance(number_format, FloatFormat) and not number_format.is_canonical(code)):
            found.setdefault(value, code)
    return tuple(sorted(found.items()))


def is_even(rank: int, value: Fraction, code: int, number_format: Format) -> bool:
    match number_format:
        case IntegerFormat():
            return value % 2 == 0
        case FixedPointFormat():
            return value / number_format.unit % 2 == 0
        case CodebookFormat():
            return rank % 2 == 0
        case _:
            return code % 2 == 0


def halfway(low: tuple[Fraction, int], high: tuple[Fraction, int], number_format: Format) -> Fraction:
    """The middle; for tapered formats the number that one more bit puts between the two codes (Posit Standard, 4.1)."""
    if isinstance(number_format, PositFormat | TakumFormat) and low[0] and high[0]:
        size = f":es={number_format.exponent_size}" if isinstance(number_format, PositFormat) else ""
        kind = "posit" if isinstance(number_format, PositFormat) else "takum_linear"
        if number_format.width < 128:
            longer = find_format(f"{kind}{number_format.width + 1}{size}")
            between = longer.value_of((2 * low[1] + 1) % (2 << number_format.width))
            assert between is not None
            return between
    return (low[0] + high[0]) / 2


def by_definition(value: Fraction, rank: int, number_format: Format, rounding: Rounding) -> Fraction | None:
    """What a number strictly between the neighbours `rank` and `rank + 1` becomes; None for NaN."""
    order = numbers_in_order(number_format)
    (low, low_code), (high, _) = order[rank], order[rank + 1]
    inner, outer = (high, low) if value < 0 else (low, high)
    crosses = low < 0 < high
    if isinstance(number_format, PositFormat | TakumFormat) and 0 in (low, high):
        return high if low == 0 else low  # never to zero
    middle = halfway(order[rank], order[rank + 1], number_format)
    odd = high if is_even(rank, low, low_code, number_format) else low
    even = low if odd == high else high
    match rounding:
        case Rounding.TOWARD_POSITIVE:
            return high
        case Rounding.TOWARD_NEGATIVE:
            return low
        case Rounding.TOWARD_ZERO if crosses:
            return None if isinstance(number_format, FloatFormat) and number_format.has_nan else outer
        case Rounding.TOWARD_ZERO:
            return inner
        case Rounding.TO_ODD if crosses and isinstance(number_format, FloatFormat):
            return outer
        case Rounding.TO_ODD:
            return odd
        case _ if value != middle:
            return high if value > middle else low
        case Rounding.NEAREST_AWAY:
            return outer
        case _:
            return even


def places(low: Fraction, high: Fraction, middle: Fraction) -> Iterator[Fraction]:
    """Both ends' vicinity, the middle, and the vicinity of the middle."""
    nudge = min(middle - low, high - middle) / 10**30
    yield from (low + nudge, middle - nudge, middle, middle + nudge, high - nudge)


@pytest.mark.parametrize("number_format", ALL, ids=named)
def test_between_neighbours_every_mode_does_what_it_says(number_format: Format) -> None:
    """Between all neighbours in the catalog's formats of at most 8 bits, and between 30 pairs of larger ones."""
    order = numbers_in_order(number_format)
    ranks = list(range(len(order) - 1))
    if len(ranks) > 70 and not (number_format in CATALOG and number_format.width <= 8):
        ranks = sorted({*random.Random(number_format.name).sample(ranks, 30), 0, ranks[-1], len(ranks) // 2})
    for rank in ranks:
        low, high = order[rank], order[rank + 1]
        for value in places(low[0], high[0], halfway(low, high, number_format)):
            if value == 0:
                continue
            for rounding in Rounding:
                encoding = encode(from_fraction(value), number_format, rounding)
                stored = decode(encoding.code, number_format)
                assert stored.value == by_definition(value, rank, number_format, rounding), (value, rounding)
                if stored.value is not None:
                    becomes_minus_zero = stored.value == 0 and value < 0 and number_format.has_negative_zero
                    assert stored.negative is (stored.value < 0 or becomes_minus_zero)
                    is_at_zero = isinstance(number_format, PositFormat | TakumFormat) and 0 in (low[0], high[0])
                    no_zero = isinstance(number_format, FloatFormat) and low[0] < 0 < high[0]
                    lost = stored.value == 0 or is_at_zero or no_zero
                    assert encoding.outcome is (Outcome.UNDERFLOW if lost else Outcome.ROUNDED)


@pytest.mark.parametrize("number_format", ALL, ids=named)
def test_every_code_comes_back_in_every_mode_and_policy(number_format: Format) -> None:
    for code in range(1 << number_format.width):
        stored = decode(code, number_format)
        if stored.kind is Kind.INVALID:
            continue
        for rounding in Rounding if number_format.width <= 8 else (Rounding.NEAREST_EVEN, Rounding.TO_ODD):
            encoding = encode(to_number(stored), number_format, rounding)
            assert encoding.code == code, rounding
            assert not encoding.payload_dropped
            if stored.value is not None:
                assert encoding.outcome is Outcome.EXACT
                assert encode(to_number(stored), number_format, rounding, "saturate").code == code


@pytest.mark.parametrize("number_format", ALL, ids=named)
def test_neighbours_walk_through_all_numbers_in_order(number_format: Format) -> None:
    order = numbers_in_order(number_format)
    has_infinity = isinstance(number_format, FloatFormat) and number_format.has_infinity
    for (low, low_code), (high, high_code) in pairwise(order):
        up, down = neighbours(low_code, number_format)[1], neighbours(high_code, number_format)[0]
        assert down == low_code
        if high == 0 and number_format.has_negative_zero:
            assert decode(up, number_format).negative
            assert neighbours(up, number_format) == (low_code, neighbours(high_code, number_format)[1])
        else:
            assert up == high_code
        assert number_format.ordinal_of(high_code) == number_format.ordinal_of(low_code) + 1
        assert number_format.code_at(number_format.ordinal_of(low_code)) == low_code
        assert low < high
    first, last = order[0][1], order[-1][1]
    assert number_format.ordinal_of(first) == number_format.first_ordinal
    assert number_format.ordinal_of(last) == number_format.last_ordinal
    beyond, before = neighbours(last, number_format)[1], neighbours(first, number_format)[0]
    for end, code in ((beyond, last), (before, first)):
        if end is not None:
            assert has_infinity
            assert decode(end, number_format).kind is Kind.INFINITY
            assert code in neighbours(end, number_format)
    assert (beyond is not None) is has_infinity
    assert (before is not None) is (has_infinity and number_format.signed)


@pytest.mark.parametrize("number_format", FLOATS, ids=named)
def test_beyond_the_largest_float(number_format: FloatFormat) -> None:
    """IEEE 754-2019, 7.4: rounding as if exponents went on, then what lies beyond."""
    largest, top = number_format.max, number_format.max_magnitude
    following = number_format.finite_value(top + 1)
    middle, even_is_top = (largest + following) / 2, top % 2 == 0
    kinds = {True: Kind.INFINITY if number_format.has_infinity else Kind.NAN, False: None}
    beyond = kinds[number_format.has_infinity or number_format.has_nan]
    nearby = (following - largest) / 10**20
    for value, stays in (
        (largest + nearby, {Rounding.NEAREST_EVEN, Rounding.NEAREST_AWAY}),
        (middle, {Rounding.NEAREST_EVEN} if even_is_top else set()),
        (middle + nearby, set()),
        (following * 2, set()),
        (following * 10**40, set()),
    ):
        for rounding, negative in product(Rounding, (False, True) if number_format.signed else (False,)):
            inward = Rounding.TOWARD_POSITIVE if negative else Rounding.TOWARD_NEGATIVE
            is_largest = beyond is None or rounding in stays or rounding in (Rounding.TOWARD_ZERO, inward)
            is_largest |= rounding is Rounding.TO_ODD and not even_is_top
            number = Finite(negative, *value.as_integer_ratio())
            encoding = encode(number, number_format, rounding)
            stored = decode(encoding.code, number_format)
            if is_largest:
                assert stored.value == (-largest if negative else largest)
            else:
                assert stored.kind is beyond
                assert stored.negative is (negative and encoding.code != number_format.sign_mask) or beyond is Kind.NAN
            saturated = encode(number, number_format, rounding, "saturate").code
            assert decode(saturated, number_format).value == (-largest if negative else largest)


@pytest.mark.parametrize("number_format", [each for each in ALL if not isinstance(each, FloatFormat)], ids=named)
def test_other_formats_stop_at_their_ends(number_format: Format) -> None:
    order = numbers_in_order(number_format)
    for end, sign in ((order[-1], 1), (order[0], -1)):
        for rounding, amount in product(Rounding, (1, 10**60)):
            value = end[0] + sign * amount
            outcome = encode(from_fraction(value), number_format, rounding, "saturate")
            assert (outcome.code, outcome.outcome) == (end[1], Outcome.OVERFLOW), (value, rounding)
            far = Finite(negative=sign < 0, numerator=1, exponent10=999_999_999)
            assert encode(far, number_format, rounding, "saturate").code == end[1]


@pytest.mark.parametrize("number_format", [each for each in FLOATS if not each.signed], ids=named)
def test_a_float_without_a_sign_takes_minus_zero_and_what_rounds_to_it(number_format: FloatFormat) -> None:
    tiny, half = number_format.min_positive / 3, number_format.min_positive / 2
    to_zero = [Finite(negative=True, numerator=0), from_fraction(-tiny), from_fraction(-half)]
    if number_format.has_zero:
        assert [encode(number, number_format).code for number in to_zero] == [0, 0, 0]
        assert encode(from_fraction(-tiny), number_format, "toward_positive").code == 0
    refused = [from_fraction(-number_format.max), from_fraction(-number_format.min_positive)]
    if not number_format.has_zero:
        refused += [from_fraction(-tiny)]
    for number, overflow in product(refused, ("ieee", "saturate")):
        if number_format.has_nan:
            assert decode(encode(number, number_format, overflow=overflow).code, number_format).kind is Kind.NAN
        else:
            with pytest.raises(InvalidInput, match=r"number\.no-negative"):
                encode(number, number_format, overflow=overflow)


@pytest.mark.parametrize("number_format", [each for each in FLOATS if not each.has_zero], ids=named)
def test_zero_where_there_is_none(number_format: FloatFormat) -> None:
    for number in (Finite(negative=False, numerator=0), Finite(negative=True, numerator=0)):
        if number_format.has_nan:
            assert decode(encode(number, number_format).code, number_format).kind is Kind.NAN
        else:
            refusal = "number.no-zero" if number_format.signed or not number.negative else "number.no-negative"
            with pytest.raises(InvalidInput, match=refusal.replace(".", r"\.")):
                encode(number, number_format)
