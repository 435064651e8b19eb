"""Counts, gaps and columns of the number line against the plain list of numbers; exact at any depth."""

import time
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.exact import Finite, parse
from app.formats import Format, find_format
from app.tasks.number_line_marks import draw_number_line, numbers_of, read_number, whole_range
from app.tasks.number_line_scale import Interval, Scale, part_of, short_text
from app.tasks.number_line_ticks import MOST_TICKS, axis_of

NAMES = (
    *("float8_e4m3fn", "float8_e5m2", "float8_e8m0fnu", "float6_e2m3fn", "float4_e2m1fn", "e4m3:no-subnormals"),
    *("e3m2:no-subnormals:no-zero", "e3m2:unsigned", "binary8p3se", "posit8", "posit8:es=0", "takum_linear8"),
    *("int8", "int5:ones-complement", "uint4", "q3.4", "bool", "nf4", "fp4_bnb"),
)
ENDS = ("-100", "-8", "-3.3", "-1", "-0.01", "0", "0.002", "0.7", "1", "2", "17.5", "448", "1e6")
WIDE = "float64 float32 bfloat16 float16 float128 posit8 posit32 posit64 takum_linear32 int64 float8_e5m2 nf4"


def all_numbers(number_format: Format) -> list[Fraction]:
    ordinals = range(number_format.first_ordinal, number_format.last_ordinal + 1)
    return [number_format.value_of(number_format.code_at(ordinal)) or Fraction(0) for ordinal in ordinals]


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize("name", NAMES)
def test_counts_gaps_and_columns_are_those_of_the_list(name: str, scale: str) -> None:
    numbers = all_numbers(find_format(name))
    for low in ENDS[::2]:
        for high in ENDS[1::3]:
            if Fraction(low) >= Fraction(high):
                continue
            line = draw_number_line(name, low, high, scale, columns=37)
            lane, interval = line.lanes[0], line.interval
            inside = [number for number in numbers if Fraction(low) <= number <= Fraction(high)]
            assert lane.count == len(inside) == sum(lane.counts)
            assert [mark.number for mark in numbers_of(lane)] == inside
            gaps = [above - below for below, above in pairwise(inside)]
            assert lane.smallest_gap == min(gaps, default=None)
            assert lane.largest_gap == max(gaps, default=None)
            edges = [Fraction(*edge) for edge in interval.edges(37)]
            held = [[each for each in inside if left < each <= right] for left, right in pairwise(edges)]
            held[0] = [each for each in inside if each <= edges[1]]
            assert lane.counts == tuple(map(len, held))
            assert [mark.number for mark in lane.marks] == [each[0] for each in held if len(each) == 1]
            for mark in lane.marks:
                assert number_of(name, mark.code) == mark.number
                assert 0 <= mark.at <= 1


def number_of(name: str, code: int) -> Fraction | None:
    return find_format(name).value_of(code)


def test_a_neighbour_of_one_is_where_it_is() -> None:
    line = draw_number_line("float64 float32 float128", "1", "0x1.0000000000001p0", columns=480)
    double, single, quadruple = line.lanes
    assert [mark.at for mark in double.marks] == [0.0, 1.0]
    assert double.count == 2
    assert double.smallest_gap == Fraction(1, 2**52)
    assert single.count == 1
    assert quadruple.count == 2**60 + 1
    assert sum(quadruple.counts) == quadruple.count
    deepest = draw_number_line("float128", "0x1p-16494", "0x3p-16494", value="0x2.4p-16494")
    assert [mark.at for mark in deepest.lanes[0].marks] == [0.0, 0.5, 1.0]
    landing = deepest.lanes[0].landing
    assert landing is not None
    assert (landing.code, landing.at) == (2, 0.5)


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize(
    ("low", "high"),
    [("-1e308", "1e308"), ("0", "1e4930"), ("1", "1e4930"), ("-8", "8"), ("1e-9900", "1e9900"), ("0", "1e-9900")],
)
def test_twelve_wide_formats_are_drawn_at_once(low: str, high: str, scale: str) -> None:
    start = time.process_time()
    line = draw_number_line(WIDE, low, high, scale)
    assert time.process_time() - start < 1, "tens of milliseconds, but for the farthest ends"
    for lane in line.lanes:
        assert sum(lane.counts) == lane.count
        assert len(lane.marks) <= len(lane.counts) == 480


def test_the_chosen_number_lands_as_it_is_stored() -> None:
    line = draw_number_line("float8_e4m3fn int4 nf4 float8_e8m0fnu uint8", "0", "8", value="300.5")
    numbers = [None if lane.landing is None else lane.landing.number for lane in line.lanes]
    assert numbers == [Fraction(288), Fraction(7), Fraction(1), Fraction(256), Fraction(255)]
    assert [lane.landing.at is not None for lane in line.lanes if lane.landing] == [False, True, True, False, False]
    negative = draw_number_line("float8_e8m0fnu", "0", "8", value="-1").lanes[0].landing
    assert negative is not None
    assert negative.number is None


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        ("1", "1", "number-line.order"),
        ("2", "-2", "number-line.order"),
        ("nan", "1", "number-line.finite"),
        ("0", "inf", "number-line.finite"),
        ("0", "1e99999", "number-line.far"),
        ("1e-999999999", "1", "number-line.far"),
        ("1..2", "3", "number."),
    ],
)
def test_ends_that_make_no_interval_are_refused(low: str, high: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        draw_number_line("float16", low, high)
    assert caught.value.code.startswith(code)


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"number-line\.scale"):
        draw_number_line("float16", "0", "1", "cubic")


ENDPOINTS = st.fractions(-1000, 1000, max_denominator=10**6)
SHARES = st.fractions(-1, 2, max_denominator=1000)


@settings(deadline=None)
@given(ENDPOINTS, ENDPOINTS, SHARES, SHARES, st.sampled_from(list(Scale)))
def test_a_part_of_an_interval_is_where_it_was_chosen(
    low: Fraction, high: Fraction, start: Fraction, end: Fraction, scale: Scale
) -> None:
    if high - low < Fraction(1, 1000) or end - start < Fraction(1, 100):
        return
    interval = Interval(low, high, scale, Fraction(1, 1024))
    part = part_of(interval, start, end)
    assert part.low < part.high
    for number, share in ((part.low, start), (part.high, end)):
        hair = (end - start) / 1000
        assert interval.number_at(share - hair) <= number <= interval.number_at(share + hair)


@pytest.mark.parametrize("scale", list(Scale))
@pytest.mark.parametrize(("low", "high"), [("-1e9863", "0x1p-1074"), ("1", "1e9900"), ("1e-9900", "1e-9899")])
def test_far_gestures_end_at_the_border_at_once(low: str, high: str, scale: str) -> None:
    interval = draw_number_line("float64", low, high, scale).interval
    start = time.process_time()
    for first, last in ((-999, 999), (-999, -998), (998, 999), (0, 999)):
        part = part_of(interval, Fraction(first), Fraction(last))
        assert -(10**9900) <= part.low < part.high <= 10**9900
        short_text(part.low)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("low", "high"), [("1e-9864", "1e9863"), ("-1e9863", "1e-9864"), ("1/3", "2^-20000+1/3"), ("0", "1e-9000")]
)
def test_parts_of_intervals_with_long_ends_are_where_they_were_chosen(low: str, high: str) -> None:
    interval = Interval(read_number(low), read_number(high))
    start = time.process_time()
    parts = [part_of(interval, Fraction(first, 4), Fraction(first + 1, 4)) for first in range(4)]
    shares = [interval.share_of(part.low) for part in parts]
    assert time.process_time() - start < 1, "fractions of 65,000 bits were brought to lowest terms"
    assert shares == pytest.approx([0, 0.25, 0.5, 0.75], abs=1e-3)
    for part, share in zip(parts, (0, 1, 2, 3), strict=True):
        place = (part.high - interval.low) / interval.width
        assert abs(place - Fraction(share + 1, 4)) < Fraction(1, 1000)


@settings(deadline=None)
@given(st.fractions(-(10**6), 10**6), st.integers(-2000, 2000))
def test_short_texts_read_back(number: Fraction, power: int) -> None:
    dyadic = Fraction(round(number)) * Fraction(2) ** power
    text = short_text(dyadic)
    read = parse(text)
    assert isinstance(read, Finite)
    assert read.fraction() == dyadic
    assert len(text) < 40 or abs(power) > 40


@pytest.mark.parametrize("scale", list(Scale))
@settings(deadline=None, max_examples=60)
@given(low=ENDPOINTS, width=st.fractions(Fraction(1, 10**12), 10**6))
def test_ticks_are_few_round_and_in_view(scale: Scale, low: Fraction, width: Fraction) -> None:
    if width <= 0:
        return
    interval = Interval(low, low + width, scale, Fraction(1, 512))
    axis = axis_of(interval)
    assert 2 <= len(axis.ticks) <= MOST_TICKS + 3
    base = Fraction(0) if axis.base is None else read_number(axis.base)
    for tick in axis.ticks:
        assert -1e-9 <= tick.at <= 1 + 1e-9
        if "^" in tick.text:
            continue
        number = read_number(tick.text) + (0 if tick.is_base else base)
        assert interval.share_of(number) == pytest.approx(tick.at)
        assert len(tick.text) <= 9 or tick.is_base or "e" in tick.text


def test_positions_rise_on_the_logarithmic_scale_through_zero() -> None:
    line = draw_number_line("float8_e5m2 posit8", "-57344", "57344", "log")
    for lane in line.lanes:
        ats = [line.interval.share_of(mark.number) for mark in numbers_of(lane)]
        assert ats == sorted(set(ats))
    assert line.interval.share_of(Fraction(0)) == 0.5
    octave = [line.interval.share_of(Fraction(2) ** power) for power in range(-10, 10)]
    steps = [right - left for left, right in pairwise(octave)]
    assert steps == pytest.approx([steps[0]] * len(steps))


def test_the_whole_range_holds_every_number() -> None:
    for name in NAMES:
        number_format = find_format(name)
        low, high = map(short_text, whole_range(number_format))
        assert draw_number_line(name, low, high).lanes[0].count == len(set(all_numbers(number_format)))
