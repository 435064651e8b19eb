"""`codec` is `exact`, code by code: formats of 16 bits or fewer in every mode, wider ones on random numbers."""

import pytest
import torch

from app import codec
from app.errors import InvalidInput
from app.formats import CATALOG, BooleanFormat, Format, find_format
from tests.codec.probes import CUSTOM, MODES, agree, all_codes, boundaries, exact_value, same

SMALL = [*(f for f in CATALOG if f.width <= 16), *map(find_format, CUSTOM)]


def names(number_format: Format) -> str:
    return number_format.name


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_every_code_reads_as_exact_reads_it(number_format: Format) -> None:
    step = 1 if number_format in CATALOG or number_format.width < 16 else 7
    meanings = [exact_value(code, number_format) for code in range(0, 1 << number_format.width, step)]
    expected = torch.tensor(meanings, dtype=torch.float64)
    assert same(codec.decode(all_codes(number_format)[::step], number_format), expected)


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
