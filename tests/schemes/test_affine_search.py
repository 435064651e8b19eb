"""Scale and offset of affine blocks: near the best of a long search, lawful at the edges, alike in any company."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scale_oracle import KINDS, blocks_of
from torch import Tensor

from app.schemes.affine_arithmetic import block_ends, minimum_below, nearest_minimum
from app.schemes.affine_pairs import AffinePairs, FloatZeroPairs, MinimumPairs, ZeroPointPairs
from app.schemes.affine_search import AffineSearch, find_affine, find_pairs, find_with_zero_point
from app.schemes.ordered_sums import ordered_sum
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, ScaleRule

pytestmark = pytest.mark.usefixtures("one_thread")
FORMATS = ("float32", "float16", "bfloat16")


def pairs_of(kind: str, bits: int, name: str = "float16") -> AffinePairs:
    storable = ScaleFormat(name).for_levels((1 << bits) - 1)
    if kind == "minimum":
        return MinimumPairs(bits, storable, ScaleFormat(name))
    return ZeroPointPairs(bits, storable) if kind == "integer" else FloatZeroPairs(bits, storable, storable)


def long_search(blocks: Tensor, pairs: AffinePairs, steps: int, reach: float) -> Tensor:
    """The least error of each block over a fine grid of ends, each end of a range carried on by least squares."""
    search = AffineSearch.of(blocks, pairs)
    low, high = block_ends(blocks, Choices())
    least = torch.full((len(blocks),), torch.inf, dtype=torch.float64)
    shares = torch.linspace(-0.06, reach, steps, dtype=torch.float64).tolist()
    for below, above in product(shares, shares):
        pair = pairs.between(low + (high - low) * below, high - (high - low) * above)
        for _ in range(2):
            least = torch.minimum(least, search.error(*pair))
            first, second = pairs.fitted(search._sums(*pair), *pair)
            least = torch.minimum(least, search.error(*second))
            pair = first
    return least


def decibels(more: Tensor, less: Tensor, blocks: Tensor) -> float:
    """How far one error lies above another, over all blocks, each by its own size; rounding of float32 is left out."""
    size = blocks.to(torch.float64).square().sum(dim=1).clamp(min=1e-300)
    return float(10 * torch.log10(((more / size).sum() + 1e-14) / ((less / size).sum() + 1e-14)))


@pytest.mark.parametrize("kind", ["minimum", "integer", "float"])
@pytest.mark.parametrize(("bits", "steps", "reach"), [(2, 9, 0.45), (3, 9, 0.3), (4, 11, 0.2)])
def test_within_five_hundredths_of_a_decibel_of_a_long_search(kind: str, bits: int, steps: int, reach: float) -> None:
    pairs = pairs_of(kind, bits, "bfloat16")
    blocks = torch.cat([blocks_of(each, 4, 64, seed=bits) for each in KINDS])
    found = AffineSearch.of(blocks, pairs).error(*find_pairs(blocks, pairs, Choices()))
    assert decibels(found, long_search(blocks, pairs, steps, reach), blocks) < 0.05


@pytest.mark.parametrize("kind", ["minimum", "integer", "float"])
def test_never_worse_than_the_ends_of_the_block(kind: str) -> None:
    blocks = torch.cat([blocks_of(each, 4, 32, seed=3) for each in KINDS])
    for bits, name in product((2, 5, 8), FORMATS):
        pairs = pairs_of(kind, bits, name)
        search = AffineSearch.of(blocks, pairs)
        plain = search.error(*find_pairs(blocks, pairs, Choices(scale=ScaleRule.ABSMAX)))
        assert (search.error(*find_pairs(blocks, pairs, Choices())) <= plain).all()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rule", list(ScaleRule))
def test_what_is_found_can_be_stored(name: str, rule: ScaleRule) -> None:
    blocks = torch.cat([blocks_of(each, 5, 48) for each in KINDS])
    storable = ScaleFormat(name)
    for bits in (2, 4, 8):
        for scales, offsets in (
            find_affine(blocks, bits, storable, storable, Choices(scale=rule)),
            find_with_zero_point(blocks, bits, storable, Choices(scale=rule)),
        ):
            assert (scales > 0).all()
            assert torch.isfinite(offsets).all()
            assert torch.equal(storable.stored(scales).to(torch.float32), scales)
            assert torch.equal(offsets.to(storable.dtype).to(torch.float32), offsets)
        assert torch.equal(offsets, offsets.round().clamp(0, (1 << bits) - 1))


def test_a_block_does_not_depend_on_its_company_nor_on_what_is_missing() -> None:
    blocks = blocks_of("student", 500, 300)
    storable = ScaleFormat("float16")
    together = find_affine(blocks, 4, storable, storable, Choices())
    alone = find_affine(blocks[471:472], 4, storable, storable, Choices())
    assert all(torch.equal(one, all_[471:472]) for one, all_ in zip(alone, together, strict=True))
    filled = torch.nn.functional.pad(blocks[:4], (0, 212), value=torch.nan)
    assert torch.equal(find_affine(filled, 4, storable, storable, Choices())[0], together[0][:4])


def test_weights_decide_what_is_near() -> None:
    blocks = blocks_of("gaussian", 64, 64)
    weights = torch.ones_like(blocks)
    weights[:, 32:] = 0.01
    storable = ScaleFormat("float32")
    pairs = pairs_of("minimum", 3, "float32")
    search = AffineSearch.of(blocks, pairs, weights)
    weighted = search.error(*find_affine(blocks, 3, storable, storable, Choices(), weights))
    assert weighted.sum() < 0.8 * search.error(*find_affine(blocks, 3, storable, storable, Choices())).sum()
    halves = find_affine(blocks, 3, storable, storable, Choices(), torch.full_like(blocks, 0.25))
    assert torch.equal(halves[0], find_affine(blocks, 3, storable, storable, Choices())[0])
    none = find_affine(blocks, 3, storable, storable, Choices(), torch.zeros_like(blocks))
    assert torch.isfinite(none[0]).all()


def test_a_percentile_cuts_the_same_share_off_each_end() -> None:
    blocks = torch.arange(1001, dtype=torch.float32)[torch.randperm(1001)][None]
    low, high = block_ends(blocks, Choices(scale=ScaleRule.PERCENTILE, percentile=99))
    assert (low.item(), high.item()) == (10, 990)
    with_gap = torch.nn.functional.pad(blocks, (0, 99), value=torch.nan)
    assert block_ends(with_gap, Choices(scale=ScaleRule.PERCENTILE, percentile=99)) == (low, high)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(FORMATS), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_equal_numbers_come_back_as_near_as_a_pair_can_bring_them(number: float, name: str, count: int) -> None:
    storable = ScaleFormat(name)
    blocks = torch.full((1, count), number)
    for pairs in (pairs_of("minimum", 4, name), pairs_of("integer", 4, name)):
        pair = find_pairs(blocks, pairs, Choices())
        back = pairs.decode(
            pairs.encode(blocks, pair[0][:, None], pair[1][:, None]), pair[0][:, None], pair[1][:, None]
        )
        exact = nearest_minimum(storable, torch.tensor([number], dtype=torch.float64))
        if isinstance(pairs, MinimumPairs):
            assert abs(back[0, 0].item() - number) <= abs(exact.item() - number)
        elif storable.smallest * 15 < abs(number) < storable.largest:
            assert abs(back[0, 0].item() - number) <= abs(number) * 2.0**-9


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=40), st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_within_its_range_a_number_is_off_by_half_a_step(numbers: list[float], bits: int) -> None:
    blocks = torch.tensor([numbers], dtype=torch.float32)
    for kind, rule in product(("minimum", "integer", "float"), (ScaleRule.MSE, ScaleRule.ABSMAX)):
        pairs = pairs_of(kind, bits, "float32")
        scale, offset = find_pairs(blocks, pairs, Choices(scale=rule))
        codes = pairs.encode(blocks, scale, offset)
        back = pairs.decode(codes, scale, offset).to(torch.float64)
        is_inside = (codes > 0) & (codes < (1 << bits) - 1)
        off = (back - blocks.to(torch.float64)).abs()[is_inside]
        assert torch.isfinite(back).all()
        tolerance = 1e-5 * max(blocks.abs().max().item(), scale.item() * (1 << bits)) + 2e-45
        assert (off <= scale.to(torch.float64) / 2 + tolerance).all()


@given(st.integers(-60, 60), st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_powers_of_two_carry_through(power: int, seed: int) -> None:
    blocks = torch.randn(3, 24, generator=torch.Generator().manual_seed(seed))
    for kind in ("minimum", "integer"):
        pairs = pairs_of(kind, 4, "float32")
        scales, offsets = find_pairs(blocks, pairs, Choices())
        larger_scales, larger_offsets = find_pairs(blocks * 2.0**power, pairs, Choices())
        assert torch.equal(larger_scales, scales * 2.0**power)
        assert torch.equal(larger_offsets, offsets if kind == "integer" else offsets * 2.0**power)


@given(st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=70))
def test_a_sum_in_halves_is_the_sum(numbers: list[int]) -> None:
    terms = torch.tensor([numbers, numbers], dtype=torch.float64)
    assert ordered_sum(terms).tolist() == [sum(numbers)] * 2


@given(st.floats(width=64, allow_nan=False, allow_infinity=False, min_value=-60000, max_value=60000))
def test_a_minimum_below_is_the_next_one_down(number: float) -> None:
    storable = ScaleFormat("float16")
    below = minimum_below(storable, torch.tensor([number], dtype=torch.float64))
    assert below.item() <= number or below.item() == float(torch.tensor(number, dtype=torch.float32))
    above = torch.nextafter(below.to(torch.float16), torch.tensor([torch.inf], dtype=torch.float16))
    assert above.item() > number or below.item() == number
