"""Packing: codes into bytes and out again, against a plain reading of the bit stream."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemes.codebooks import high_nibbles
from app.schemes.grid_scheme import Packing, byte_packing, dense_packing
from app.schemes.packing import pack_bits, unpack_bits


def codes_of(bits: int, rows: int, columns: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(bits * 100 + columns)
    return torch.randint(1 << bits, (rows, columns), generator=random).to(torch.uint8)


@given(st.integers(1, 8), st.integers(1, 3), st.integers(1, 40), st.sampled_from([1, 4]))
@settings(max_examples=200, deadline=None)
def test_element_i_takes_the_bits_from_i_times_width(bits: int, rows: int, columns: int, word_bytes: int) -> None:
    codes = codes_of(bits, rows, columns)
    packed = pack_bits(codes, bits, word_bytes)
    assert packed.shape[1] % word_bytes == 0
    assert packed.shape[1] * 8 - columns * bits < 8 * word_bytes
    for row, stored in zip(codes.tolist(), packed.tolist(), strict=True):
        stream = int.from_bytes(bytes(stored), "little")
        assert [stream >> (place * bits) & ((1 << bits) - 1) for place in range(columns)] == row
        assert stream >> (columns * bits) == 0
    assert torch.equal(unpack_bits(packed, bits, columns), codes)


@pytest.mark.parametrize("columns", [1, 2, 7, 8])
@pytest.mark.parametrize(
    ("packing", "bits"),
    [(dense_packing(4), 4), (high_nibbles(), 4), (byte_packing(), 8), (dense_packing(6), 6), (dense_packing(3, 4), 3)],
    ids=["low", "high", "bytes", "six", "words"],
)
def test_there_and_back(packing: Packing, bits: int, columns: int) -> None:
    codes = codes_of(bits, 3, columns)
    packed = packing.pack(codes)
    assert packed.numel() * 8 == 3 * packing.row_bits(columns)
    assert torch.equal(packing.unpack(packed, columns), codes)


def test_the_first_nibble_is_high_in_bitsandbytes_and_low_elsewhere() -> None:
    codes = torch.tensor([[1, 2, 3]], dtype=torch.uint8)
    assert high_nibbles().pack(codes).tolist() == [[0x12, 0x30]]
    assert dense_packing(4).pack(codes).tolist() == [[0x21, 0x03]]
