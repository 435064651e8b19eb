"""What is shown of a quantized matrix: the codes, scales, ends and figures say the same as what comes back."""

import math
import time
from dataclasses import replace
from decimal import Context, Decimal, localcontext

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.codec.stochastic import random_bits
from app.errors import AppError, InvalidInput, TooLarge
from app.exact import decode
from app.schemes.entries import SchemeOptions
from app.schemes.registry import ENTRIES
from app.schemes.scheme import ScaleRule
from app.tasks.quantize_charts import level_histogram
from app.tasks.quantize_matrix import read_matrix
from app.tasks.quantize_request import (
    MOST_VALUES,
    CellMatrix,
    Distribution,
    DrawnMatrix,
    QuantizeRequest,
    SchemeChoice,
    TensorMatrix,
    TypedMatrix,
)
from app.tasks.quantize_values import Quantized, choices_of, quantize_one, quantize_values


def choices(name: str) -> list[SchemeChoice]:
    """The scheme by its quickest rule, and with each kind of zero point."""
    entry = ENTRIES[name]
    plain = SchemeChoice(name, scale=ScaleRule.ABSMAX if "scale" in entry.options else None)
    if "symmetric" not in entry.options:
        return [plain]
    options = [SchemeOptions(), SchemeOptions(symmetric=False), SchemeOptions(symmetric=False, zero_point="float")]
    return [replace(plain, options=each) for each in options]


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_the_parts_make_up_the_whole(name: str) -> None:
    values = read_matrix(DrawnMatrix(Distribution.STUDENT_T5, rows=2, columns=256))
    for choice in choices(name):
        found = quantize_one(values, choice)
        elements = found.elements
        product = elements.levels * elements.scales
        restored = product if elements.offsets is None else product + elements.offsets
        assert torch.allclose(restored, found.dequantized, rtol=1e-6, atol=1e-7)
        assert torch.equal(found.errors, found.dequantized.double() - values.double())
        row, column = found.max_error_cell or (0, 0)
        assert float(found.errors.abs().max()) == abs(float(found.errors[row, column]))
        assert found.stored.stored_bytes * 8 >= found.storage.total - 7
        check_element_codes(found, is_asymmetric=choice.options.symmetric is False)


def check_element_codes(found: Quantized, *, is_asymmetric: bool) -> None:
    """A link to Inspect shows the level of its cell."""
    if found.element is None or found.element_codes is None:
        return
    if is_asymmetric:
        assert found.element.name.startswith("uint")
        assert torch.equal(found.element_codes, found.elements.codes)
        return
    for row, column in ((0, 0), (1, 17), (1, 255)):
        exact = decode(int(found.element_codes[row, column]), found.element).value
        assert exact is not None
        assert torch.tensor(float(exact), dtype=torch.float32) == found.elements.levels[row, column]


def test_the_matrix_of_the_course() -> None:
    answer = quantize_values(QuantizeRequest())
    (view,) = answer.views
    assert view.quantized is not None
    assert answer.bytes_before == 36
    assert (view.quantized.storage.codes, view.quantized.storage.scales) == (9 * 8, 4 * 8)
    assert view.search == "mse"
    assert (view.quantized.block_scales.shape, view.quantized.block_offsets) == ((1, 1), None)


def test_clipped_numbers_lie_beyond_the_ends() -> None:
    values = read_matrix(DrawnMatrix(Distribution.OUTLIERS, rows=4, columns=64))
    absmax = quantize_one(values, SchemeChoice("nf4", scale=ScaleRule.ABSMAX))
    assert absmax.clipped == 0
    options = SchemeOptions(granularity="tensor")
    percentile = quantize_one(values, SchemeChoice("int8", options, scale=ScaleRule.PERCENTILE, percentile=90.0))
    reach = float(percentile.block_scales.abs().max()) * 127
    assert percentile.clipped == int((values > reach).sum() + (values < -reach * 128 / 127).sum()) > 0
    assert percentile.clipped_share == percentile.clipped / 256


def test_what_a_scheme_refuses_stands_in_its_view() -> None:
    schemes = (
        SchemeChoice("nosuch"),
        SchemeChoice("int4", signed_scales=True),
        SchemeChoice("mxfp4", signed_scales=True),
    )
    answer = quantize_values(QuantizeRequest(schemes=schemes))
    codes = [view.refusal and view.refusal.code for view in answer.views]
    assert codes == ["scheme.unknown", None, "scheme.option"]


def test_a_rotation_is_undone() -> None:
    values = read_matrix(DrawnMatrix(Distribution.OUTLIERS, rows=4, columns=256))
    options = SchemeOptions(granularity="channel")
    straight, rotated = (quantize_one(values, SchemeChoice("int4", options, rotation=seed)) for seed in (None, 3))
    gained = (rotated.error.figures.sqnr_db or 0) - (straight.error.figures.sqnr_db or 0)
    assert gained > 2
    assert not torch.equal(rotated.values, values)


@pytest.mark.parametrize("distribution", list(Distribution))
def test_drawn_numbers_have_their_moments(distribution: Distribution) -> None:
    values = read_matrix(DrawnMatrix(distribution, 128, 128)).double()
    variance = {Distribution.OUTLIERS: 1 + 99 / 64}.get(distribution, 1.0)
    assert float(values.mean()) == pytest.approx(0, abs=0.03)
    assert float(values.var()) == pytest.approx(variance, rel=0.08)
    again = read_matrix(DrawnMatrix(distribution, 128, 128))
    assert torch.equal(again.double(), values)
    assert not torch.equal(read_matrix(DrawnMatrix(distribution, 128, 128, seed=2)).double(), values)


def test_drawn_numbers_are_those_of_exact_arithmetic() -> None:
    """The polar method in 40 digits on the same random bits, rounded once: nothing depends on a library's logarithm."""
    count = 96
    pairs = count // 2 + count // 4 + 8
    x, y = (
        [(Decimal(bits) + Decimal("0.5")) / 2**31 - 1 for bits in random_bits(1, start, pairs).tolist()]
        for start in (0, pairs)
    )
    expected: list[float] = []
    with localcontext(Context(prec=40)):
        for one, other in zip(x, y, strict=True):
            square = one * one + other * other
            if square < 1:
                factor = (-2 * square.ln() / square).sqrt()
                expected += [float(one * factor), float(other * factor)]
    values = read_matrix(DrawnMatrix(Distribution.NORMAL, 1, count)).flatten()
    assert torch.equal(values, torch.tensor(expected[:count], dtype=torch.float64).to(torch.float32))


@given(
    st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=3, max_size=3), min_size=1)
)
@settings(max_examples=50)
def test_texts_are_read_in_every_notation(rows: list[list[float]]) -> None:
    expected = torch.tensor(rows, dtype=torch.float32)
    plain = "\n".join(" ".join(map(repr, row)) for row in rows)
    for text in (
        plain,
        plain.replace("\n", ";").replace(" ", ", "),
        repr(rows),
        f"  {rows}\n".replace("], [", "],\n ["),
    ):
        assert torch.equal(read_matrix(TypedMatrix(text)), expected), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.00000005960464477539062500000001", 1.00000011920928955078125),
        ("1.000000059604644775390625", 1.0),
        ("1/3", 0.3333333432674407958984375),
        ("7.00649232162408535461864791644958e-46", 0.0),
        ("7.0064923216240853546186479164495807e-46", 1.401298464324817e-45),
        ("3.4028235677973366e38", 3.4028234663852886e38),
        ("3.40282356779733662e38", None),
        ("1e-99999", 0.0),
    ],
)
def test_numbers_are_rounded_once(text: str, expected: float | None) -> None:
    if expected is None:
        with pytest.raises(InvalidInput, match=r"quantize\.not-finite"):
            read_matrix(TypedMatrix(text))
    else:
        assert float(read_matrix(TypedMatrix(text))) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "quantize.empty"),
        ("[[]]", "quantize.empty"),
        ("1 2; 3", "quantize.ragged"),
        ("1 two", "quantize.number"),
        ("1 nan", "quantize.not-finite"),
        ("1_000", "quantize.number"),
        ("١", "quantize.number"),
    ],
)
def test_refused_texts(text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_matrix(TypedMatrix(text))
    assert caught.value.code == code


def test_limits() -> None:
    with pytest.raises(TooLarge, match=r"quantize\.too-many"):
        read_matrix(CellMatrix((("1",) * (MOST_VALUES + 1),)))
    with pytest.raises(TooLarge, match=r"quantize\.too-many"):
        read_matrix(TensorMatrix(torch.zeros(1, MOST_VALUES + 1)))
    with pytest.raises(TooLarge, match=r"quantize\.text-too-long"):
        read_matrix(TypedMatrix(" " * (1 << 21)))
    with pytest.raises(TooLarge, match=r"quantize\.too-many-schemes"):
        quantize_values(QuantizeRequest(schemes=(SchemeChoice("int8"),) * 5))
    with pytest.raises(AppError, match=r"quantize\.schemes"):
        quantize_values(QuantizeRequest(schemes=()))


@pytest.mark.parametrize("name", ["int4", "nf4", "nvfp4", "affine4"])
def test_the_histogram_counts_each_number_once(name: str) -> None:
    values = read_matrix(DrawnMatrix(rows=4, columns=256))
    found = level_histogram(values, quantize_one(values, SchemeChoice(name)))
    assert sum(found.counts) == sum(found.level_counts) == values.numel()
    assert found.low <= found.levels[0] <= found.levels[-1] <= found.high
    assert all(math.isfinite(level) for level in found.levels)


def test_a_cast_that_overflows() -> None:
    values = read_matrix(TypedMatrix("1e6 -0.0 1 -7e4"))
    found = quantize_one(values, SchemeChoice("float16"))
    assert (found.clipped, found.error.figures.max_abs_error) == (2, math.inf)
    assert level_histogram(values, found).levels == (0.0, 1.0)
    assert quantize_one(values, SchemeChoice("float8_e4m3fn")).element_codes.tolist() == [[0x7E, 0x80, 0x38, 0xFE]]


def test_a_long_text_that_is_no_number_is_refused_at_once() -> None:
    """A pattern that may part digits in two ways would take hours for these."""
    begin = time.process_time()
    for text in ("1" * 500_000 + "/3", "1" * 500_000 + "." + "1" * 500_000 + "x"):
        with pytest.raises(InvalidInput, match=r"quantize\.number"):
            read_matrix(TypedMatrix(text))
    assert time.process_time() - begin < 2


def test_a_percentile_goes_with_its_own_rule_alone() -> None:
    for scale in (ScaleRule.ABSMAX, ScaleRule.MSE):
        with pytest.raises(InvalidInput, match="percentile-alone"):
            choices_of(SchemeChoice("int8", scale=scale, percentile=99.0))
    assert choices_of(SchemeChoice("int8", scale=ScaleRule.PERCENTILE, percentile=99.0)).percentile == 99.0
    with pytest.raises(InvalidInput) as refused:
        choices_of(SchemeChoice("int8", scale=ScaleRule.PERCENTILE, percentile=100.0001))
    assert refused.value.figures["percentile"] == "100.0001"
