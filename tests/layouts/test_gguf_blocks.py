"""Blocks of every ggml type against gguf-py and against ggml's library in C, on any bytes, to the last bit."""

from collections.abc import Iterator

import gguf
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.layouts.gguf_blocks import BLOCK_DECODERS, decode_blocks
from app.layouts.gguf_grids import grid_points
from app.weightfiles.gguf_types import TYPE_NUMBERS, TYPES
from app.weightfiles.storage_types import StorageType
from tests.oracles import ggml_library

NAMES = [kind.name for kind in TYPES.values()]
IN_C = sorted(ggml_library.TYPES | ggml_library.READ_ONLY_TYPES)
WITHOUT_PYTHON = {"Q8_1", "Q8_K", "Q1_0"}
"""gguf-py 0.19 does not dequantize them."""
BLOCKS = 1024


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """torch's threads wait for each other in a busy loop, which costs most where others work too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def kind_of(name: str) -> StorageType:
    return TYPES[TYPE_NUMBERS[name.upper()]]


def random_blocks(name: str, count: int = BLOCKS) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, kind_of(name).bits // 8), dtype=np.uint8)


def decoded(name: str, blocks: np.ndarray) -> np.ndarray:
    found = decode_blocks(kind_of(name).format, torch.from_numpy(blocks))
    assert found.dtype == torch.float32
    assert found.shape == (len(blocks), kind_of(name).block_elements)
    assert found.is_contiguous()
    return found.numpy()


def by_gguf_py(name: str, blocks: np.ndarray) -> np.ndarray:
    kind = kind_of(name)
    with np.errstate(all="ignore"):
        if kind.is_readable and name != "BF16":
            return blocks.view(kind.format).astype(np.float32)
        return gguf.dequantize(blocks, gguf.GGMLQuantizationType(TYPE_NUMBERS[name])).astype(np.float32)


def by_c(name: str, blocks: np.ndarray) -> np.ndarray:
    elements = blocks.size // (kind_of(name).bits // 8) * kind_of(name).block_elements
    return ggml_library.dequantize(name, blocks.reshape(1, -1), elements).reshape(len(blocks), -1)


def assert_same(ours: np.ndarray, theirs: np.ndarray) -> None:
    """To the last bit, signs of zeros too; NaN is NaN whatever its payload."""
    same = (ours.view(np.uint32) == theirs.view(np.uint32)) | (np.isnan(ours) & np.isnan(theirs))
    assert same.all(), f"{(~same).sum()} of {same.size} differ"


def test_every_type_of_a_file_is_decoded() -> None:
    assert {kind.format for kind in TYPES.values()} == set(BLOCK_DECODERS)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_PYTHON])
def test_random_bytes_are_decoded_as_gguf_py_does(name: str) -> None:
    blocks = random_blocks(name)
    assert_same(decoded(name, blocks), by_gguf_py(name, blocks))


@pytest.mark.parametrize("name", IN_C)
def test_random_bytes_are_decoded_as_ggml_does_in_c(name: str) -> None:
    blocks = random_blocks(name)
    assert_same(decoded(name, blocks), by_c(name, blocks))


@pytest.mark.parametrize("name", ["Q8_1", "Q8_K"])
def test_types_that_ggml_computes_with_but_does_not_decode(name: str) -> None:
    blocks = random_blocks(name, 64)
    is_wide = name == "Q8_K"
    scales = np.ascontiguousarray(blocks[:, : 4 if is_wide else 2]).view(np.float32 if is_wide else np.float16)
    with np.errstate(all="ignore"):
        levels = blocks[:, 4 : 4 + kind_of(name).block_elements].view(np.int8).astype(np.float32)
        assert_same(decoded(name, blocks), levels * scales.astype(np.float32))


@pytest.mark.parametrize("name", IN_C)
@pytest.mark.parametrize("half", [0x7C00, 0xFC00, 0x7E00, 0x7C01, 0x7BFF, 0x0001, 0x8000, 0x0000])
def test_scales_that_are_infinite_or_no_numbers_are_what_arithmetic_makes_of_them(name: str, half: int) -> None:
    """The same bytes everywhere: as scales, as minima and as codes, at each place that either could have."""
    size = kind_of(name).bits // 8
    blocks = random_blocks(name, 2 * size)
    for place in range(size - 1):
        blocks[place, place : place + 2] = half & 255, half >> 8
    blocks[size:] = half & 255
    assert_same(decoded(name, blocks), by_c(name, blocks))


def test_a_nan_scale_stays_in_its_block() -> None:
    blocks = np.zeros((3, 34), dtype=np.uint8)
    blocks[:, :2], blocks[1, :2] = (0, 0x3C), (0, 0x7E)
    values = decoded("Q8_0", blocks)
    assert np.isnan(values[1]).all()
    assert (values[::2] == 0).all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), name=st.sampled_from(IN_C), count=st.integers(1, 5))
def test_any_bytes_and_any_number_of_blocks(data: st.DataObject, name: str, count: int) -> None:
    blocks = data.draw(arrays(np.uint8, (count, kind_of(name).bits // 8)))
    assert_same(decoded(name, blocks), by_c(name, blocks))


@pytest.mark.parametrize("name", NAMES)
def test_a_part_of_the_blocks_is_that_part_of_the_numbers(name: str) -> None:
    """Views are taken too, and no blocks at all; the bytes stay as they were."""
    blocks = random_blocks(name, 40)
    before, whole = blocks.copy(), decoded(name, blocks)
    assert_same(decoded(name, blocks[7:20]), whole[7:20])
    assert_same(decoded(name, blocks[::3]), whole[::3])
    for place in range(3):
        found = decode_blocks(kind_of(name).format, torch.from_numpy(blocks)[place : place + 1])
        assert_same(found.numpy(), whole[place : place + 1])
    assert decoded(name, blocks[:0]).size == 0
    assert (blocks == before).all()


@pytest.mark.parametrize("name", ["iq2_xxs", "iq2_xs", "iq2_s", "iq3_xxs", "iq3_s", "iq1_s"])
def test_grids_are_those_of_gguf_py(name: str) -> None:
    theirs = getattr(gguf.quants, name.upper())
    theirs.init_grid()
    assert (grid_points(name).numpy() == theirs.grid.reshape(theirs.grid_shape)).all()
