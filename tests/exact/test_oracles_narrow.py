"""gguf's own tables for MXFP4 and NVFP4, element by element and scale by scale, and where they leave the standards."""

from fractions import Fraction

import numpy as np
import pytest
from gguf import quants

from app import exact
from app.formats import Format, find_format

ELEMENT, BLOCK_SCALE, TENSOR_SCALE = map(find_format, ("float4_e2m1fn", "float8_e8m0fnu", "float8_e4m3fn"))


def value(code: int, number_format: Format) -> Fraction | None:
    return exact.decode(code, number_format).value


def test_every_element_under_every_scale_of_mxfp4() -> None:
    """ggml halves the scale and doubles the elements, so that these are whole numbers: the product is the same."""
    nibbles = np.array([low | high << 4 for low, high in zip(range(16), range(16), strict=True)], np.uint8)
    blocks = np.array([[scale, *nibbles] for scale in range(256)], np.uint8)
    with np.errstate(over="ignore"):
        found = quants.MXFP4.dequantize_blocks(blocks)
    for scale in range(255):
        weight = value(scale, BLOCK_SCALE)
        assert weight is not None
        for code in range(16):
            element = value(code, ELEMENT)
            assert element is not None
            for place in (code, code + 16):
                product = weight * element
                if abs(product) < Fraction(2) ** 128:  # beyond, float32 has infinity
                    assert Fraction(float(found[scale, place])) == product, (scale, code)


def test_gguf_reads_the_nan_scale_of_mxfp4_as_a_number() -> None:
    """OCP MX 1.0, 5.4.1: E8M0 code 255 is NaN, and so is its block (5.1). gguf reads it as 2^128."""
    assert exact.decode(255, BLOCK_SCALE).kind is exact.Kind.NAN
    block = np.array([[255, *[1] * 16]], np.uint8)  # 0.5 in the first half of the elements
    assert float(quants.MXFP4.dequantize_blocks(block)[0, 0]) == 2.0**127


def test_every_element_under_every_scale_of_nvfp4() -> None:
    """Four groups of 16 elements with an E4M3 scale each; here each has all sixteen codes."""
    nibbles = [low | (low + 8) << 4 for low in range(8)] * 4
    scales = range(0x7F)
    blocks = np.array([[*[scale] * 4, *nibbles] for scale in scales], np.uint8)
    found = quants.NVFP4.dequantize_blocks(blocks)
    for scale in scales:
        weight = value(scale, TENSOR_SCALE)
        assert weight is not None
        for place in range(64):
            element = value(place % 16, ELEMENT)
            assert element is not None
            assert Fraction(float(found[scale, place])) == weight * element, (scale, place)


def test_gguf_reads_the_nan_scale_of_nvfp4_as_zero() -> None:
    """OFP8 1.0, table 1: E4M3 S.1111.111 is NaN. gguf reads it as 0."""
    assert exact.decode(0x7F, TENSOR_SCALE).kind is exact.Kind.NAN
    block = np.array([[0x7F] * 4 + [0x22] * 32], np.uint8)
    assert not quants.NVFP4.dequantize_blocks(block).any()


def gguf_scale(number: float) -> int:
    return int(quants.NVFP4.fp32_to_ue4m3(np.array([number], np.float32))[0])


def test_gguf_keeps_every_scale_of_nvfp4_below_256() -> None:
    for code in range(0x78):
        weight = value(code, TENSOR_SCALE)
        assert weight is not None
        assert gguf_scale(float(weight)) == code


@pytest.mark.parametrize(
    ("number", "right", "theirs"),
    [
        # From 256 on everything becomes 448, though E4M3 has 256, 288, ... 448 (OFP8 1.0, table 1).
        (256.0, 0x78, 0x7E),
        (320.0, 0x7A, 0x7E),
        # Ties go up, not to the even code (IEEE 754-2019, 4.3.1; OFP8 1.0, 5.2.2).
        (1.0625, 0x38, 0x39),
        (0.5 * 2**-9, 0x00, 0x01),
        # Between the largest subnormal, 7 * 2^-9, and the smallest normal number, 2^-6, always down.
        (7.75 * 2**-9, 0x08, 0x07),
    ],
)
def test_gguf_rounds_scales_of_nvfp4_its_own_way(number: float, right: int, theirs: int) -> None:
    asked = exact.from_fraction(Fraction(number))
    assert exact.encode(asked, TENSOR_SCALE).code == right
    assert gguf_scale(number) == theirs
