"""Blocks: every scale rule by its definition, torchao's MX and NVFP4, and the codes of special blocks."""

import random
import warnings
from fractions import Fraction
from math import floor, log2

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.exact import (
    Finite,
    Infinity,
    NaN,
    Number,
    ScaleRule,
    decode,
    decode_block,
    default_tensor_scale,
    encode,
    encode_block,
    from_fraction,
    parse,
)
from app.formats import BLOCKS, BlockFormat, find_any_format

MX = [each for each in BLOCKS if each.tensor_scale is None]
TORCHAO_ELEMENTS = {
    "mxfp8_e4m3": torch.float8_e4m3fn,
    "mxfp8_e5m2": torch.float8_e5m2,
    "mxfp6_e2m3": "fp6_e2m3",
    "mxfp6_e3m2": "fp6_e3m2",
    "mxfp4": torch.float4_e2m1fn_x2,
}


def block(name: str) -> BlockFormat:
    found = find_any_format(name)
    assert isinstance(found, BlockFormat)
    return found


def numbers(values: list[float]) -> list[Number]:
    return [Finite(np.signbit(value).item(), *abs(Fraction(value)).as_integer_ratio()) for value in values]


def random_block(source: random.Random, size: int) -> list[float]:
    """float32 values of one size, some zeros, sometimes far from 1."""
    spread, center = source.choice((0.5, 3, 8)), source.choice((0, 0, -20, 60, -90))
    values = [source.gauss(0, 1) * 2.0 ** (center + source.uniform(-spread, spread)) for _ in range(size)]
    return [float(np.float32(value)) if source.random() > 0.05 else 0.0 for value in values]


def test_the_example_of_the_mx_specification() -> None:
    """Section 6.3: floor(log2(amax)) - emax, with the largest element clipped where it does not fit."""
    encoding = encode_block(numbers([7.9, -1.0, 0.3, 0.0]), block("mxfp4"))
    assert encoding.scale_code == 127 + 2 - 2
    assert encoding.element_codes == (0b0111, 0b1010, 0b0001, 0)  # 6, not 8; -1; 0.5; 0
    assert decode_block(encoding.scale_code, encoding.element_codes, block("mxfp4"))[0] == Finite(False, 6)


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        # emax of E2M1 is 2, its largest number 6; the significand is rounded to one bit: 1.75 goes up.
        (ScaleRule.FLOOR, {"4": 0, "6": 0, "6.01": 0, "6.99": 0, "7": 0, "7.99": 0, "8": 1, "3.9": -1}),
        (ScaleRule.CEIL, {"4": 0, "6": 1, "6.01": 1, "6.99": 1, "7": 1, "7.99": 1, "8": 1, "3.9": 0}),
        (ScaleRule.RCEIL, {"4": 0, "6": 0, "6.01": 1, "6.99": 1, "7": 1, "7.99": 1, "8": 1, "3": -1, "3.01": 0}),
        (ScaleRule.EVEN, {"4": 0, "6": 0, "6.01": 0, "6.99": 0, "7": 1, "7.99": 1, "8": 1, "3.9": 0}),
    ],
)
def test_scale_rules(rule: ScaleRule, values: dict[str, int]) -> None:
    for text, exponent in values.items():
        assert encode_block([parse(text)], block("mxfp4"), rule).scale_code == 127 + exponent, text


@pytest.mark.parametrize("name", TORCHAO_ELEMENTS)
@pytest.mark.parametrize("rule", list(ScaleRule))
def test_torchao_gives_the_same_mx_codes(name: str, rule: ScaleRule) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchao.prototype.mx_formats.mx_tensor import ScaleCalculationMode, to_mx
    mode = ScaleCalculationMode(rule.value)
    source, block_format = random.Random(name + rule), block(name)
    for _ in range(25):
        values = random_block(source, 32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scale, elements = to_mx(torch.tensor([values]), TORCHAO_ELEMENTS[name], 32, mode)
        ours = encode_block(numbers(values), block_format, rule)
        assert ours.scale_code == scale.view(torch.uint8).item()
        codes = elements.view(torch.uint8).flatten().tolist()
        if name == "mxfp4":
            codes = [nibble for byte in codes for nibble in (byte & 15, byte >> 4)]
        assert list(ours.element_codes) == codes


def test_torchao_divides_by_twice_the_smallest_scale() -> None:
    """It stores 2^-127 and divides by 2^-126, float32's smallest normal number; MX 1.0, 6.3, divides by the scale."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchao.prototype.mx_formats.mx_tensor import ScaleCalculationMode, to_mx

        values = torch.tensor([[2.0**-122] + [0.0] * 31])
        scale, elements = to_mx(values, torch.float8_e4m3fn, 32, ScaleCalculationMode.FLOOR)
    ours = encode_block(numbers(values[0].tolist()), block("mxfp8_e4m3"))
    assert ours.scale_code == scale.view(torch.uint8).item() == 0
    float8 = block("mxfp8_e4m3").element
    assert float8.value_of(ours.element_codes[0]) == 32
    assert float8.value_of(elements.view(torch.uint8)[0, 0].item()) == 16


def nvfp4_by_definition(values: list[float], tensor_scale: Fraction) -> tuple[int, list[int]]:
    block_format = block("nvfp4")
    wanted = max(abs(Fraction(value)) for value in values) / 6 / tensor_scale
    scale_code = encode(from_fraction(wanted), block_format.scale, overflow="saturate").code
    scale = block_format.scale.value_of(scale_code) * tensor_scale
    codes = [
        encode(from_fraction(abs(Fraction(value)) / scale) if scale else Finite(False, 0), block_format.element).code
        | (np.signbit(value).item() << 3)
        for value in values
    ]
    return scale_code, codes


def test_nvfp4_has_two_levels_of_scale() -> None:
    source = random.Random(16)
    for _ in range(60):
        values = random_block(source, 16)
        tensor_scale = Fraction(float(np.float32(source.uniform(0.1, 3) * 2.0 ** source.randint(-12, 2))))
        encoding = encode_block(numbers(values), block("nvfp4"), tensor_scale=tensor_scale)
        scale_code, codes = nvfp4_by_definition(values, tensor_scale)
        assert (encoding.scale_code, list(encoding.element_codes)) == (scale_code, codes)


def test_nvfp4_scale_is_not_kept_above_the_smallest_normal_number() -> None:
    encoding = encode_block(numbers([6 * 2.0**-9, 0.0]), block("nvfp4"), tensor_scale=Fraction(1))
    assert encoding.scale_code == 1
    assert encoding.element_codes == (7, 0)


def test_nvfp4_alone_uses_its_whole_range() -> None:
    encoding = encode_block(numbers([3.0, -1.0]), block("nvfp4"))
    assert encoding.tensor_scale == Fraction(float(np.float32(3 / 2688)))
    assert encoding.scale_code == 0x7E
    assert encoding.element_codes[0] == 7
    assert default_tensor_scale(Fraction(0), block("nvfp4")) == 1


@pytest.mark.parametrize("block_format", BLOCKS, ids=lambda each: each.name)
def test_a_block_of_zeros_keeps_their_signs(block_format: BlockFormat) -> None:
    zeros = numbers([0.0, -0.0])
    encoding = encode_block(zeros, block_format)
    assert encoding.scale_code == 0
    has_minus_zero = block_format.element.has_negative_zero
    found = decode_block(encoding.scale_code, encoding.element_codes, block_format)
    assert found == (Finite(False, 0), Finite(has_minus_zero, 0))


@pytest.mark.parametrize("block_format", BLOCKS, ids=lambda each: each.name)
@pytest.mark.parametrize("special", [NaN(negative=False), Infinity(negative=True)])
def test_a_block_with_nan_or_infinity_is_nan(block_format: BlockFormat, special: Number) -> None:
    encoding = encode_block([*numbers([1.0, 2.0]), special], block_format)
    assert encoding.scale_code == block_format.scale.nan_code
    found = decode_block(encoding.scale_code, encoding.element_codes, block_format, encoding.tensor_scale)
    assert found == (NaN(negative=False),) * 3


@pytest.mark.parametrize("block_format", MX, ids=lambda each: each.name)
@pytest.mark.parametrize("rule", list(ScaleRule))
def test_far_numbers_clip_or_vanish(block_format: BlockFormat, rule: ScaleRule) -> None:
    far = encode_block([parse("-1e999999999"), parse("1")], block_format, rule)
    assert far.scale_code == 254
    largest = decode_block(far.scale_code, far.element_codes, block_format)[0]
    assert isinstance(largest, Finite)
    assert -largest.fraction() == block_format.element.max * 2**127
    tiny = encode_block([parse("1e-999999999"), parse("-1e-99999")], block_format, rule)
    assert (tiny.scale_code, decode_block(tiny.scale_code, tiny.element_codes, block_format)[0]) == (
        0,
        Finite(False, 0),
    )


def test_blocks_read_specials_and_scales() -> None:
    inf, minus_inf, nan, zero = decode_block(127, (0x7C, 0xFC, 0x7E, 0x80), block("mxfp8_e5m2"))
    assert (inf, minus_inf, nan, zero) == (Infinity(False), Infinity(True), NaN(False), Finite(True, 0))
    assert decode_block(0x38, (7, 15), block("nvfp4"), Fraction(1, 2)) == (Finite(False, 3), Finite(True, 3))
    with pytest.raises(InvalidInput, match=r"code\.out-of-range"):
        decode_block(256, (0,), block("mxfp4"))
    with pytest.raises(InvalidInput, match=r"block\.size"):
        decode_block(0, (0,) * 33, block("mxfp4"))


def test_mxint8_leaves_minus_two_unused() -> None:
    assert encode_block([parse("-1.999")], block("mxint8")).element_codes == (0x81,)


values_of_any_size = st.fractions(-1000, 1000, max_denominator=10**6) | st.integers(-(10**30), 10**30).map(Fraction)


@given(st.sampled_from(MX), st.sampled_from(list(ScaleRule)), st.lists(values_of_any_size, min_size=1, max_size=32))
def test_every_element_is_the_nearest_of_its_scale(
    block_format: BlockFormat, rule: ScaleRule, values: list[Fraction]
) -> None:
    encoding = encode_block([from_fraction(value) for value in values], block_format, rule)
    scale = decode(encoding.scale_code, block_format.scale).value
    stored = decode_block(encoding.scale_code, encoding.element_codes, block_format)
    limit = block_format.element.max * scale
    for value, code, number in zip(values, encoding.element_codes, stored, strict=True):
        assert isinstance(number, Finite)
        clipped = max(-limit, min(limit, value))
        element = decode(code, block_format.element).value
        assert element * scale == number.fraction()
        for other in (code - 1, code + 1):
            near = block_format.element.value_of(other % (1 << block_format.element.width))
            if near is not None and abs(near) <= block_format.element.max:
                assert abs(number.fraction() - clipped) <= abs(near * scale - clipped)
    largest = max(map(abs, values))
    if largest and rule is ScaleRule.RCEIL and encoding.scale_code:
        assert limit >= largest > limit / 2
    if largest and rule is ScaleRule.FLOOR and encoding.scale_code:
        assert encoding.scale_code == 127 + floor(log2(largest)) - block_format.element_max_exponent or largest > 2**40


@pytest.mark.parametrize(
    ("count", "tensor_scale", "name", "code"),
    [
        (0, None, "mxfp4", "block.size"),
        (33, None, "mxfp4", "block.size"),
        (17, None, "nvfp4", "block.size"),
        (1, Fraction(1), "mxfp4", "block.no-tensor-scale"),
        (1, Fraction(0), "nvfp4", "block.tensor-scale"),
        (1, Fraction(-1), "nvfp4", "block.tensor-scale"),
        (1, Fraction(10) ** 60, "nvfp4", "block.tensor-scale"),
    ],
)
def test_refusals(count: int, tensor_scale: Fraction | None, name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        encode_block(numbers([1.0] * count), block(name), tensor_scale=tensor_scale)
    assert refused.value.code == code
