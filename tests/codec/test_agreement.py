"""`codec` is `exact`, code by code: formats of 16 bits or fewer in every mode, wider ones on random numbers."""

import random
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from app import codec, exact
from app.errors import InvalidInput
from app.formats import CATALOG, BooleanFormat, Format, find_format
from tests.codec.probes import CUSTOM, MODES, all_codes, boundaries, exact_value, same, truth

SMALL = [*(f for f in CATALOG if f.width <= 16), *map(find_format, CUSTOM)]
WIDE_NAMES = (
    *("float64", "float32", "tfloat32", "posit32", "posit64", "takum_linear32", "takum_linear64", "int32", "int64"),
    *(
        "uint32",
        "uint64",
        "q0.31",
        "q15.16",
        "q0.63",
        "uq0.64",
        "uq32.32",
        "e15m48",
        "e2m61",
        "e11m53:unsigned",
        "e0m63",
    ),
    *("e1m63:unsigned:specials=none", "e8m55:bias=60", "e5m40:no-subnormals", "e15m16:bias=20000", "posit64:es=8"),
    *("posit40:es=0", "posit63", "posit17:es=5", "takum_linear63", "takum_linear20", "int64:sign-magnitude"),
    *("int40:ones-complement", "uint33", "int63", "q30.33", "e9m22:specials=none:unsigned"),
)
WIDE = [find_format(name) for name in WIDE_NAMES]


def names(number_format: Format) -> str:
    return number_format.name


def agree(values: Tensor, number_format: Format, rounding: str, overflow: str | None) -> None:
    """The codes are those of `exact`; what it refuses is refused."""
    expected, has_code = truth(values, number_format, rounding, overflow)
    accepted = values[has_code]
    found = codec.encode(accepted, number_format, rounding, overflow)
    wanted = codec.narrow_codes(expected[has_code], number_format)
    wrong = (found != wanted).nonzero().flatten()
    details = [(accepted[place].item(), found[place].item(), wanted[place].item()) for place in wrong[:4]]
    assert not details, f"{number_format.name} {rounding} {overflow}: (number, codec, exact) {details}"
    if not has_code.all():
        with pytest.raises(InvalidInput, match=r"codec\.|number\.infinity-wrap"):
            codec.encode(values[~has_code], number_format, rounding, overflow)


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_every_code_reads_as_exact_reads_it(number_format: Format) -> None:
    codes = all_codes(number_format)
    meanings = [exact_value(code, number_format) for code in range(1 << number_format.width)]
    expected = torch.tensor(meanings, dtype=torch.float64)
    assert same(codec.decode(codes, number_format), expected)


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_every_boundary_in_every_mode(number_format: Format) -> None:
    """Values, middles and their float64 neighbours: all of them up to 9 bits, some of wider formats."""
    if isinstance(number_format, BooleanFormat):
        return
    step = 1 if number_format.width <= 8 else 3 if number_format.width <= 10 else 401
    probes = boundaries(number_format, step)
    for rounding in MODES:
        for overflow in codec.overflows_of(number_format):
            agree(probes[:: 1 if step > 1 or rounding == "nearest_even" else 3], number_format, rounding, overflow)


@pytest.mark.parametrize("number_format", [*SMALL, *WIDE], ids=names)
def test_float32_is_read_as_the_number_it_is(number_format: Format) -> None:
    generator = torch.Generator().manual_seed(number_format.width)
    values = torch.randint(-(2**31), 2**31 - 1, (2000,), generator=generator).to(torch.int32).view(torch.float32)
    values = values[values.isfinite()]
    if number_format.has_negative_zero or number_format.signed:
        found = codec.encode(values, number_format)
        assert torch.equal(found, codec.encode(values.double(), number_format))
    for narrow in (torch.float16, torch.bfloat16):
        positive = values.to(narrow).abs().clamp(min=2**-10, max=2.0**10)
        assert torch.equal(codec.encode(positive, number_format), codec.encode(positive.double(), number_format))


def random_values(number_format: Format, count: int, seed: int) -> Tensor:
    """Float64 of which most lie in the format's range: random digits, few digits, neighbours of its own numbers."""
    source = random.Random(f"{number_format.name} {seed}")
    high = min(max(Fraction(number_format.max).numerator.bit_length() + 1, 2), 1024)
    values: list[float] = []
    while len(values) < count:
        value = source.choice((1, -1)) * source.random() * 2.0 ** source.randint(max(-high, -1000), min(high, 1000))
        values += [value, float(f"{value:.1e}"), source.uniform(-4, 4)]
        try:
            own = exact.decode(source.getrandbits(number_format.width), number_format).value
            near = float(own) if own is not None else 0.0
        except OverflowError:
            near = 0.0
        values += [near, near * (1 + 2.0**-52), near * (1 - 2.0**-53)]
    return torch.tensor(values[:count], dtype=torch.float64)


@pytest.mark.parametrize("number_format", WIDE, ids=names)
def test_random_numbers_in_wide_formats(number_format: Format) -> None:
    values = random_values(number_format, 700, 1)
    values = torch.cat([values, boundaries_at_the_ends(number_format)])
    for index, rounding in enumerate(MODES):
        for overflow in codec.overflows_of(number_format):
            agree(values[index::6] if rounding != "nearest_even" else values, number_format, rounding, overflow)


def boundaries_at_the_ends(number_format: Format) -> Tensor:
    """The largest and smallest numbers, zeros and specials, and what lies beside them."""
    ends = [number_format.max, number_format.min]
    ends += [number_format.value_of(number_format.code_at(place)) for place in (1, 2, number_format.last_ordinal - 1)]
    found = []
    for end in ends:
        assert end is not None
        if abs(end) < Fraction(2) ** 1023:
            found += [float(end) * factor for factor in (1.0, 0.5, 1.5, 2.0, 0.25, 0.75)]
    near = torch.tensor([*found, 0.0, 5e-324, -5e-324, 1.7e308, -1.7e308], dtype=torch.float64)
    infinity = torch.tensor(torch.inf, dtype=torch.float64)
    specials = torch.tensor([-0.0, torch.inf, -torch.inf, torch.nan], dtype=torch.float64)
    return torch.cat([near, near.nextafter(infinity), near.nextafter(-infinity), specials])


@pytest.mark.parametrize("number_format", WIDE, ids=names)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_wide_codes_read_as_the_nearest_float(number_format: Format, dtype: torch.dtype) -> None:
    source = random.Random(number_format.name)
    codes = [source.getrandbits(number_format.width) for _ in range(500)]
    codes += [code for bit in range(number_format.width) for code in (1 << bit, (1 << bit) - 1)]
    tensor = codec.narrow_codes(torch.tensor([codec.as_int64(code) for code in codes]), number_format)
    target = find_format(str(dtype).removeprefix("torch."))
    expected = []
    for code in codes:
        stored = exact.decode(code, number_format)
        if stored.value is None:
            expected.append(exact_value(code, number_format))
        else:
            number = exact.Finite(stored.negative, *abs(stored.value).as_integer_ratio())
            expected.append(exact_value(exact.encode(number, target).code, target))
    found = codec.decode(tensor, number_format, dtype)
    assert found.dtype == dtype
    assert same(found.double(), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("number_format", [*SMALL, *WIDE], ids=names)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_numbers_at_all(number_format: Format, data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.floats(width=64, allow_nan=False), min_size=1, max_size=8))
    rounding = data.draw(st.sampled_from(MODES))
    overflow = data.draw(st.sampled_from(codec.overflows_of(number_format)))
    agree(torch.tensor(numbers, dtype=torch.float64), number_format, rounding, overflow)


@pytest.mark.parametrize("name", ["float80", "float128", "int128", "q60.60", "posit65"])
def test_codes_too_wide_for_a_tensor_are_refused(name: str) -> None:
    number_format = find_format(name)
    with pytest.raises(InvalidInput, match=r"codec\.too-wide"):
        codec.encode(torch.ones(1), number_format)
    with pytest.raises(InvalidInput, match=r"codec\.too-wide"):
        codec.decode(torch.ones(1, dtype=torch.int64), number_format)


def test_refusals_say_how_many() -> None:
    values = torch.tensor([1.0, torch.nan, -2.0, torch.nan, 0.0])
    for name, code, count in (("int8", "codec.nan", 2), ("e4m3:unsigned:specials=none", "codec.nan", 2)):
        with pytest.raises(InvalidInput) as caught:
            codec.encode(values, find_format(name))
        assert (caught.value.code, caught.value.figures["count"]) == (code, count)
    with pytest.raises(InvalidInput) as caught:
        codec.encode(values[[0, 2, 4]], find_format("e4m3:unsigned:specials=none"))
    assert (caught.value.code, caught.value.figures["count"]) == ("codec.negative", 1)
    with pytest.raises(InvalidInput) as caught:
        codec.encode(values[[0, 4, 4]], find_format("e8m0:no-subnormals:no-zero:specials=none"))
    assert (caught.value.code, caught.value.figures["count"]) == ("codec.zero", 2)
    with pytest.raises(InvalidInput, match=r"codec\.seed-missing"):
        codec.encode(values, find_format("float16"), "stochastic")
    with pytest.raises(InvalidInput, match=r"rounding\.unknown"):
        codec.encode(values, find_format("float16"), "up")
    with pytest.raises(InvalidInput, match=r"overflow\.not-for-format"):
        codec.encode(values, find_format("float16"), overflow="wrap")
