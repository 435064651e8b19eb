"""Weights of GGUF files beside gguf-py's, for every block type; NVFP4 with its scales of whole tensors."""

import os
from collections.abc import Iterator
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch

from app.errors import WeightFileError
from app.layouts.weights import WeightReader, find_weights
from app.weightfiles.gguf_types import TYPES
from app.weightfiles.range_reader import WeightFile
from tests.layouts.reading import read_back, same_bits
from tests.weightfiles.made_gguf import made, tensor

BLOCK_TYPES = [number for number, kind in TYPES.items() if kind.block_elements > 1]
DECODED_BY_PYTHON = [number for number in BLOCK_TYPES if TYPES[number].name not in {"Q8_1", "Q8_K", "Q1_0"}]
WRITTEN = [number for number in BLOCK_TYPES if TYPES[number].name != "Q8_1"]
"""gguf-py has another size for Q8_1, which no file holds."""
NVFP4 = 40


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """torch's threads wait for each other in a busy loop, which costs most where others work too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write(path: Path, tensors: dict[str, tuple[np.ndarray, int]]) -> None:
    """Arrays of float32, or the bytes of blocks, and their types."""
    writer = gguf.GGUFWriter(path, "llama")
    for name, (values, number) in tensors.items():
        kind = None if number == 0 else gguf.GGMLQuantizationType(number)
        writer.add_tensor(name, values, raw_shape=values.shape if kind else None, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def random_blocks(number: int, rows: tuple[int, ...] = (3, 5)) -> np.ndarray:
    chance = np.random.default_rng(number)
    return chance.integers(0, 256, (*rows, TYPES[number].bits // 8 * 2), dtype=np.uint8)


def test_every_block_type_is_read_as_gguf_py_reads_it(tmp_path: Path) -> None:
    stored = {f"blk.{number}.ffn_up.weight": (random_blocks(number), number) for number in DECODED_BY_PYTHON}
    write(tmp_path / "x.gguf", stored)
    found = read_back(tmp_path / "x.gguf")
    assert set(found) == set(stored)
    for name, (blocks, number) in stored.items():
        with np.errstate(all="ignore"):
            expected = torch.from_numpy(gguf.dequantize(blocks, gguf.GGMLQuantizationType(number)).astype(np.float32))
        assert same_bits(found[name].numbers, expected), name
        assert found[name].scheme == f"gguf {TYPES[number].format}"


def test_the_scale_of_a_whole_tensor_is_multiplied_in(tmp_path: Path) -> None:
    blocks = random_blocks(NVFP4)
    write(
        tmp_path / "x.gguf",
        {"blk.0.attn_q.weight": (blocks, NVFP4), "blk.0.attn_q.scale": (np.array([0.375], np.float32), 0)},
    )
    found = read_back(tmp_path / "x.gguf")
    plain = gguf.dequantize(blocks, gguf.GGMLQuantizationType.NVFP4).astype(np.float32)
    assert set(found) == {"blk.0.attn_q.weight"}
    assert same_bits(found["blk.0.attn_q.weight"].numbers, torch.from_numpy(plain * np.float32(0.375)))


def test_every_expert_may_have_a_scale(tmp_path: Path) -> None:
    blocks = random_blocks(NVFP4, (4, 3))
    scales = np.array([0.5, 3, 1 / 3, 7], np.float32)
    write(tmp_path / "x.gguf", {"blk.0.ffn_up_exps.weight": (blocks, NVFP4), "blk.0.ffn_up_exps.scale": (scales, 0)})
    found = read_back(tmp_path / "x.gguf")["blk.0.ffn_up_exps.weight"]
    plain = gguf.dequantize(blocks, gguf.GGMLQuantizationType.NVFP4).astype(np.float32)
    assert same_bits(found.numbers, torch.from_numpy(plain * scales[:, None, None]))


@pytest.mark.parametrize("shape", [(3,), (2, 2), (0,)])
def test_scales_that_fit_neither_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    scales = np.ones(shape, np.float32)
    write(
        tmp_path / "x.gguf",
        {"blk.0.ffn_up_exps.weight": (random_blocks(NVFP4, (4, 3)), NVFP4), "blk.0.ffn_up_exps.scale": (scales, 0)},
    )
    with pytest.raises(WeightFileError, match=r"layout\."):
        read_back(tmp_path / "x.gguf")


def test_a_tensor_named_scale_beside_another_type_is_a_weight_of_its_own(tmp_path: Path) -> None:
    write(
        tmp_path / "x.gguf",
        {
            "a.weight": (random_blocks(2), 2),
            "a.scale": (np.ones(1, np.float32), 0),
            "b.scale": (np.ones(1, np.float32), 0),
        },
    )
    assert set(read_back(tmp_path / "x.gguf")) == {"a.weight", "a.scale", "b.scale"}


def test_no_elements_are_read_without_a_byte(tmp_path: Path) -> None:
    write(tmp_path / "x.gguf", {"a.weight": (random_blocks(NVFP4), NVFP4)})
    with WeightFile(tmp_path / "x.gguf") as file:
        (weight,) = find_weights(file)
        assert WeightReader(file).elements(weight, 64, 0).shape == (0,)


def test_numbers_never_depend_on_what_was_in_memory_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every buffer that is not filled at once is full of a marker, first of one, then of another."""
    path, plain_empty = tmp_path / "x.gguf", torch.empty
    write(path, {f"blk.{number}.weight": (random_blocks(number), number) for number in WRITTEN})
    results = []
    for marker in (0x5A, 0xA5):

        def marked(*shape: object, marker: int = marker, **how: object) -> torch.Tensor:
            found = plain_empty(*shape, **how)
            found.reshape(-1).view(torch.uint8).fill_(marker)
            return found

        monkeypatch.setattr(torch, "empty", marked)
        results.append(read_back(path))
    assert len(results[0]) == len(WRITTEN)
    for name, back in results[0].items():
        assert same_bits(back.numbers, results[1][name].numbers), name


def test_a_tensor_without_elements_has_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(made((), (tensor("a", (0, 3), 2), tensor("b", (32, 0), 8), tensor("c", (256, 0, 4), 40))))
    assert {name: back.numbers.shape for name, back in read_back(path).items()} == {
        "a": (3, 0),
        "b": (0, 32),
        "c": (4, 0, 256),
    }


def test_a_file_cut_after_it_was_opened_gives_an_error_and_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    write(path, {"a.weight": (random_blocks(2), 2)})
    with WeightFile(path) as file:
        (weight,) = find_weights(file)
        os.truncate(path, file.header.tensors[0].end - 1)
        with pytest.raises(WeightFileError, match=r"file\.shrank"):
            WeightReader(file).elements(weight, 0, weight.elements)
