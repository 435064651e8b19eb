"""Partitions: matrices cut into blocks and put together again, whole or ragged."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.schemes.partitions import Granularity, parse_partition

TEXTS = ("tensor", "channel", "column", "group=4", "group=5", "block=4", "block=7", "block=2x3", "block=4x4")


@given(st.sampled_from(TEXTS), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=300, deadline=None)
def test_blocks_and_matrix_are_inverse(text: str, rows: int, columns: int) -> None:
    partition = parse_partition(text)
    values = torch.arange(rows * columns, dtype=torch.float32).view(rows, columns)
    blocks = partition.blocks(values)
    down, across = partition.scale_shape((rows, columns))
    assert len(blocks) == down * across
    assert torch.equal(partition.matrix(blocks, (rows, columns)), values)
    assert int((~blocks.isnan()).sum()) == rows * columns, "every number once, the rest is NaN"
    assert bool((~blocks.isnan()).any(dim=1).all()), "no block is empty"


@given(st.sampled_from(TEXTS), st.integers(1, 9), st.integers(1, 9))
@settings(max_examples=300, deadline=None)
def test_a_scale_is_spread_over_its_block(text: str, rows: int, columns: int) -> None:
    partition = parse_partition(text)
    blocks = partition.blocks(torch.ones(rows, columns))
    scales = torch.arange(len(blocks), dtype=torch.float32)
    numbered = torch.where(blocks.isnan(), torch.nan, scales[:, None].expand(blocks.shape))
    assert torch.equal(partition.spread(scales, (rows, columns)), partition.matrix(numbered, (rows, columns)))


@pytest.mark.parametrize("text", TEXTS)
def test_text_and_back(text: str) -> None:
    assert str(parse_partition(text)) == text
    assert (parse_partition(text).granularity is Granularity.FLAT) == (text in ("block=4", "block=7"))


@pytest.mark.parametrize(
    "text", ["", "rows", "group", "group=0", "group=-1", "group=2x2", "block=0x3", "block=2x3x4", "group=99999999",
             "tensor=3", "block=٣", "block=", "group=1e3"],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_partition(text)
    assert refusal.value.code == "scheme.granularity"


@pytest.mark.parametrize("text", ["block=9999999x9999999", "group=9999999", "block=9999999", "block=9999999x2"])
@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (7, 5)])
def test_a_block_far_larger_than_the_matrix_takes_no_more_memory_than_the_matrix(
    text: str, shape: tuple[int, int]
) -> None:
    partition = parse_partition(text)
    values = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    blocks = partition.blocks(values)
    assert blocks.numel() <= 2 * values.numel()
    assert len(blocks) == partition.scale_shape(shape)[0] * partition.scale_shape(shape)[1]
    assert torch.equal(partition.matrix(blocks, shape), values)
    scales = torch.arange(1.0, len(blocks) + 1)
    assert torch.equal(partition.spread(scales, shape), partition.matrix(scales[:, None].expand_as(blocks), shape))
