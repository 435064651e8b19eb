"""GPTQ's and AWQ's tensors, unpacked here by the plain words of their layouts."""

from pathlib import Path

import numpy as np
import pytest
import torch

from app.errors import InvalidInput
from app.layouts.table import find_layout
from app.layouts.writing import Obstacle
from tests.layouts.coding import NAME, Coded

MODULE = NAME.removesuffix(".weight")
AWQ_ORDER = [0, 4, 1, 5, 2, 6, 3, 7]
"""Where in a word each of eight neighbours stands."""


def stream(words: np.ndarray, bits: int, count: int) -> np.ndarray:
    """`count` codes of a little-endian stream down each column."""
    raw = np.unpackbits(words.T.copy().view(np.uint8), axis=1, bitorder="little")
    fields = raw[:, : count * bits].reshape(words.shape[1], count, bits)
    return (fields << np.arange(bits)).sum(axis=2).T.astype(np.int64)


def nibbles(words: np.ndarray) -> np.ndarray:
    found = (words[:, :, None] >> (4 * np.array(AWQ_ORDER))) & 15
    return found.reshape(words.shape[0], -1).astype(np.int64)


def product(codes: np.ndarray, zeros: np.ndarray, scales: np.ndarray) -> torch.Tensor:
    """(q - z) * s in float16, turned back to `[rows, columns]`."""
    each = codes.shape[0] // scales.shape[0]
    scaled = (codes - zeros.repeat(each, axis=0)).astype(np.float16) * scales.repeat(each, axis=0)
    return torch.from_numpy(scaled.T.copy())


def check(coded: Coded, values: torch.Tensor, theirs: torch.Tensor, folder: Path) -> None:
    sums = coded.outcome.sums
    assert sums is not None
    error = (theirs.double() - values.double()).square().sum().item()
    assert sums.error_squares == pytest.approx(error, rel=1e-9)
    assert error < 0.5 * values.double().square().sum().item()
    assert torch.equal(coded.read_back(folder).to(torch.float16), theirs)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("words", ["", ":asymmetric", ":group=32", ":channel:absmax"])
def test_gptq(bits: int, words: str, tmp_path: Path) -> None:
    values = torch.randn(320, 128, generator=torch.Generator().manual_seed(bits))
    coded = Coded(tmp_path, "gptq", f"int{bits}{words}", values, band_elements=1)
    tensors = {name.removeprefix(f"{MODULE}."): value.numpy() for name, value in coded.tensors.items()}
    codes = stream(tensors["qweight"], bits, 128)
    zeros = stream(tensors["qzeros"].T.copy(), bits, 320).T
    assert tensors["g_idx"].tolist() == [column * len(zeros) // 128 for column in range(128)]
    check(coded, values, product(codes, zeros, tensors["scales"]), tmp_path)
    said = coded.description.config["quantization_config"]
    assert (said["bits"], said["sym"], said["checkpoint_format"]) == (bits, "asym" not in words, "gptq_v2")


@pytest.mark.parametrize("words", ["", ":asymmetric", ":group=64:asymmetric", ":channel"])
def test_awq(words: str, tmp_path: Path) -> None:
    values = torch.randn(264, 128, generator=torch.Generator().manual_seed(9)).to(torch.bfloat16)
    coded = Coded(tmp_path, "awq", f"int4{words}", values, band_elements=1)
    tensors = {name.removeprefix(f"{MODULE}."): value.numpy() for name, value in coded.tensors.items()}
    theirs = product(nibbles(tensors["qweight"]), nibbles(tensors["qzeros"]), tensors["scales"])
    check(coded, values, theirs, tmp_path)


@pytest.mark.parametrize("layout", ["gptq", "awq"])
@pytest.mark.parametrize("shape", [(36, 128), (64, 100)])
def test_what_does_not_fill_words_is_an_obstacle(layout: str, shape: tuple[int, int], tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        Coded(tmp_path, layout, "int4", torch.randn(shape))
    assert isinstance(caught.value.args[0], Obstacle)


@pytest.mark.parametrize("words", ["int4:tensor", "int4:zero=float", "int4:scales=bfloat16"])
def test_options_without_a_place_are_refused(words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        Coded(tmp_path, "gptq", words, torch.randn(64, 128))
    assert caught.value.code in {"layout.option", "layout.granularity"}
    assert find_layout("gptq").suffix == ".safetensors"
