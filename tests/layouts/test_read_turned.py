"""GPTQ and AWQ: their owners need a GPU or a compiler, so files are made here bit by bit, from the layouts' facts.

A code's bits are put where the facts say by whole-number arithmetic, one code at a time, and numbers are the formula
(code - zero) * scale in float16: the product of a whole number and a float16 is rounded once.
"""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from app.errors import WeightFileError
from tests.layouts.reading import read_back, same_bits, save

NAME = "model.layers.0.mlp.up_proj"


def _packed(codes: np.ndarray, bits: int) -> Tensor:
    """A stream of each column of `[numbers, columns]`, lowest bit first, in words of 32 bits: `[words, columns]`."""
    words = []
    for column in codes.T:
        stream = sum(int(code) << (place * bits) for place, code in enumerate(column))
        count = -(-len(column) * bits // 32)
        words.append([(stream >> (32 * word)) & 0xFFFFFFFF for word in range(count)])
    return torch.from_numpy(np.array(words, dtype=np.uint32).T.copy().view(np.int32))


class _Gptq:
    """A random matrix of `rows` outputs and `columns` inputs."""

    def __init__(self, bits: int, rows: int, columns: int, group: int, *, version: int, ordered: bool) -> None:
        random = np.random.default_rng(bits)
        top = 1 << bits
        groups = -(-columns // group)
        codes = random.integers(0, top, (columns, rows))
        zeros = random.integers(0, top, (groups, rows))
        scales = (random.random((groups, rows)) / top + 0.001).astype(np.float16)
        index = np.arange(columns) // group
        if ordered:
            index = random.permutation(index)
        stored_zeros = (zeros - (2 - version)) % top
        self.tensors = {
            f"{NAME}.qweight": _packed(codes, bits),
            f"{NAME}.qzeros": _packed(stored_zeros.T, bits).t().contiguous(),
            f"{NAME}.scales": torch.from_numpy(scales),
            f"{NAME}.g_idx": torch.from_numpy(index.astype(np.int32)),
        }
        found = (codes - zeros[index]).astype(np.float16) * scales[index]
        self.numbers = torch.from_numpy(found.T.copy())
        self.config = {
            "quantization_config": {
                "quant_method": "gptq",
                "bits": bits,
                "group_size": group,
                "desc_act": ordered,
                "sym": False,
                "checkpoint_format": ("gptq", "gptq_v2")[version - 1],
            }
        }


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("group", [32, 128])
def test_gptq(tmp_path: Path, bits: int, version: int, group: int, *, ordered: bool) -> None:
    made = _Gptq(bits, 64, 256, group, version=version, ordered=ordered)
    found = read_back(save(tmp_path, made.tensors, made.config))
    assert list(found) == [f"{NAME}.weight"]
    (back,) = found.values()
    assert back.scheme == f"gptq int{bits}:group={group}:asymmetric" + (":act-order" if ordered else "")
    assert same_bits(back.numbers, made.numbers)


def test_gptq_without_its_group_index_and_config(tmp_path: Path) -> None:
    made = _Gptq(4, 64, 256, 64, version=1, ordered=False)
    del made.tensors[f"{NAME}.g_idx"]
    (back,) = read_back(save(tmp_path, made.tensors)).values()
    assert same_bits(back.numbers, made.numbers)


def test_gptq_of_the_second_version_is_known_by_its_zeros_where_no_config_is(tmp_path: Path) -> None:
    made = _Gptq(4, 64, 256, 64, version=2, ordered=False)
    made.tensors[f"{NAME}.qzeros"].fill_(-0x77777778)  # 0x88888888: the middle everywhere
    (second,) = read_back(save(tmp_path, made.tensors)).values()
    made.tensors[f"{NAME}.qzeros"].fill_(0x77777777)
    (first,) = read_back(save(tmp_path, made.tensors)).values()
    assert same_bits(first.numbers, second.numbers)


def test_gptq_in_one_group_for_a_row(tmp_path: Path) -> None:
    made = _Gptq(4, 64, 96, 96, version=1, ordered=False)
    made.config["quantization_config"]["group_size"] = -1
    (back,) = read_back(save(tmp_path, made.tensors, made.config)).values()
    assert back.scheme == "gptq int4:channel:asymmetric"
    assert same_bits(back.numbers, made.numbers)


def test_a_group_that_there_is_not(tmp_path: Path) -> None:
    made = _Gptq(4, 64, 256, 64, version=1, ordered=False)
    made.tensors[f"{NAME}.g_idx"][17] = 4
    path = save(tmp_path, made.tensors, made.config)
    with pytest.raises(WeightFileError) as caught:
        read_back(path)
    assert caught.value.code == "layout.part-contents"
    assert caught.value.figures["part"] == f"{NAME}.g_idx"


_PLACES = (0, 2, 4, 6, 1, 3, 5, 7)
"""Which of eight neighbours the nibbles of a word hold, from the lowest on."""


def _interleaved(codes: np.ndarray) -> Tensor:
    eights = codes.reshape(codes.shape[0], -1, 8)[:, :, list(_PLACES)].astype(np.uint64)
    words = (eights << (np.arange(8, dtype=np.uint64) * 4)).sum(axis=2).astype(np.uint32)
    return torch.from_numpy(words.view(np.int32))


@pytest.mark.filterwarnings("ignore")  # quanto uses what torch has deprecated
@pytest.mark.parametrize("group", [32, 64, 128])
def test_awq(tmp_path: Path, group: int) -> None:
    random = np.random.default_rng(group)
    rows, columns = 40, 256
    codes, zeros = random.integers(0, 16, (columns, rows)), random.integers(0, 16, (columns // group, rows))
    scales = (random.random((columns // group, rows)) / 16 + 0.001).astype(np.float16)
    if importlib.util.find_spec("optimum") is not None:
        from optimum.quanto.tensor.weights.awq.packed import pack

        assert torch.equal(pack(torch.from_numpy(codes.astype(np.uint8)), reorder=True), _interleaved(codes))
    tensors = {
        f"{NAME}.qweight": _interleaved(codes),
        f"{NAME}.qzeros": _interleaved(zeros),
        f"{NAME}.scales": torch.from_numpy(scales),
    }
    config: dict[str, Any] = {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": group}}
    index = np.arange(columns) // group
    expected = torch.from_numpy(((codes - zeros[index]).astype(np.float16) * scales[index]).T.copy())
    for told in (config, None):
        (back,) = read_back(save(tmp_path, tensors, told)).values()
        assert back.scheme == f"awq int4:group={group}:asymmetric"
        assert same_bits(back.numbers, expected)
        (tmp_path / "config.json").unlink(missing_ok=True)
