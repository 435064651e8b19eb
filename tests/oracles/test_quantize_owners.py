"""The adapters of the benchmarks: each owner's quantizer gives the error that was measured of it before.

A slip in an adapter (another axis, a scale read twice) would make a peer look worse than it is. The figures are of
256 rows of 4,096 Gaussian numbers; a slice of them stays within 0.15 dB, a row's largest number within 0.4 dB.
"""

import importlib.util

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType
from gguf.quants import dequantize as dequantize_by_gguf
from gguf.quants import quantize as quantize_by_gguf

from benchmarks.quantize_file_peers import CompressedTensors, Ggml, GgufPython, Mlx
from benchmarks.quantize_peers import (
    BitsandbytesFour,
    BitsandbytesInt8,
    Hqq,
    Peer,
    Quanto,
    TorchaoFloat8,
    TorchaoInt4,
    TorchaoInt8,
    TorchaoMx,
    TorchaoNvfp4,
)
from tests.oracles import ggml_library

# torchao and HQQ use what torch has deprecated; torch says so where they are imported.
pytestmark = pytest.mark.filterwarnings("ignore")

MXFP8, MXFP4 = torch.float8_e4m3fn, torch.float4_e2m1fn_x2
IN_TESTS: list[tuple[Peer, float, float]] = [
    (TorchaoInt8(), 8.0078, 41.26),
    (TorchaoFloat8(), 8.0078, 31.54),
    (TorchaoInt4(32), 4.5, 20.46),
    (TorchaoInt4(32, "ASYMMETRIC"), 4.75, 21.86),
    (TorchaoInt4(128), 4.125, 19.11),
    (TorchaoInt4(128, "ASYMMETRIC"), 4.1875, 19.95),
    (TorchaoInt4(128, "SYMMETRIC", "HQQ_SCALE_ONLY"), 4.125, 19.78),
    (TorchaoMx(MXFP8, "FLOOR"), 8.25, 30.64),
    (TorchaoMx(MXFP8, "RCEIL"), 8.25, 31.53),
    (TorchaoMx(MXFP8, "EVEN"), 8.25, 31.19),
    (TorchaoMx(MXFP4, "FLOOR"), 4.25, 18.79),
    (TorchaoMx(MXFP4, "RCEIL"), 4.25, 18.76),
    (TorchaoMx(MXFP4, "CEIL"), 4.25, 16.83),
    (TorchaoMx(MXFP4, "EVEN"), 4.25, 19.03),
    (TorchaoNvfp4(), 4.5, 20.44),
    (BitsandbytesFour("nf4"), 4.5, 20.73),
    (BitsandbytesFour("nf4", 64, is_double=True), 4.1279, 20.73),
    (BitsandbytesFour("nf4", 128, is_double=True), 4.0640, 20.39),
    (BitsandbytesFour("fp4"), 4.5, 18.28),
    (BitsandbytesInt8(), 8.0078, 41.23),
    (CompressedTensors("W4A16"), 4.125, 19.11),
    (CompressedTensors("W4A16_ASYM"), 4.15625, 19.95),
    (CompressedTensors("NVFP4A16"), 4.5, 20.44),
    (CompressedTensors("MXFP4A16"), 4.25, 19.03),
    (CompressedTensors("MXFP6A16"), 6.25, 31.0),
    (CompressedTensors("MXFP8"), 8.25, 31.53),
    (CompressedTensors("FP8_DYNAMIC"), 8.0078, 31.54),
    (Mlx(4, 32), 5.0, 21.83),
    (Mlx(4, 64), 4.5, 20.83),
    (Mlx(4, 128), 4.25, 19.99),
    (Mlx(2, 64), 2.5, 8.07),
    (Mlx(3, 64), 3.5, 14.40),
    (Mlx(6, 64), 6.5, 33.25),
    (Mlx(8, 64), 8.5, 45.40),
    (Mlx(4, 32, "mxfp4"), 4.25, 18.76),
    (Mlx(8, 32, "mxfp8"), 8.25, 31.53),
    (Mlx(4, 16, "nvfp4"), 4.5, 20.44),
    (Ggml("q4_0"), 4.5, 21.31),
    (Ggml("q4_0", has_ones=True), 4.5, 21.77),
    (Ggml("q4_1"), 5.0, 22.14),
    (Ggml("q4_1", has_ones=True), 5.0, 23.12),
    (Ggml("q5_0"), 5.5, 27.39),
    (Ggml("q5_1"), 6.0, 28.44),
    (Ggml("q8_0"), 8.5, 45.43),
    (Ggml("q2_k", has_ones=True), 2.625, 11.44),
    (Ggml("q3_k"), 3.4375, 16.42),
    (Ggml("q4_k"), 4.5, 22.94),
    (Ggml("q5_k", has_ones=True), 5.5, 29.03),
    (Ggml("q6_k", has_ones=True), 6.5625, 35.24),
    (Ggml("iq4_nl"), 4.5, 22.37),
    (Ggml("iq4_xs", has_ones=True), 4.25, 22.44),
    (Ggml("tq1_0"), 1.6875, 1.86),
    (Ggml("mxfp4"), 4.25, 18.79),
    (Ggml("nvfp4"), 4.5, 20.44),
    (GgufPython("q4_0"), 4.5, 21.31),
]
IN_BENCHMARKS: list[tuple[Peer, float, float]] = [
    (Quanto(4, 64), 4.5, 20.95),
    (Quanto(4, 64, "HqqOptimizer"), 4.5, 21.33),
    (Hqq(4, 64), 4.5, 21.32),
    (Hqq(4, 64, is_optimized=False), 4.5, 20.95),
    (Hqq(4, 128), 4.25, 20.28),
    (Hqq(3, 64), 3.7, 14.77),
    (Hqq(2, 64), 2.5, 7.26),
]
SLICE = 0.15
ROWS_OF_4096 = 0.4
"""One scale for so many numbers hangs on the largest of them."""


def gaussian(rows: int) -> torch.Tensor:
    values = torch.randn(rows, 4096, generator=torch.Generator().manual_seed(1))
    return values.to(torch.float16).to(torch.float32)


def check(peer: Peer, bits: float, decibels: float) -> None:
    values = gaussian(32)
    encoded = peer.encode(values.clone())
    read = peer.decode(encoded)
    assert read.shape == values.shape
    assert read.dtype == torch.float32
    noise = (values - read).to(torch.float64).square().sum()
    found = float(10 * torch.log10(values.to(torch.float64).square().sum() / noise))
    has_long_rows = isinstance(peer, TorchaoInt8 | BitsandbytesInt8)
    assert found == pytest.approx(decibels, abs=ROWS_OF_4096 if has_long_rows else SLICE)
    # What is said once a tensor, or fills up a tensor's last word, weighs more in a slice.
    assert peer.stored_bits(encoded) / values.numel() == pytest.approx(bits, abs=0.006)


@pytest.mark.parametrize(("peer", "bits", "decibels"), IN_TESTS, ids=lambda value: str(value).replace("/", " "))
def test_an_owner_gives_the_error_that_was_measured(peer: Peer, bits: float, decibels: float) -> None:
    check(peer, bits, decibels)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("hqq") is None, reason="installed by `make benchmarks` only")
@pytest.mark.parametrize(("peer", "bits", "decibels"), IN_BENCHMARKS, ids=str)
def test_an_owner_of_the_benchmarks_gives_the_error_that_was_measured(peer: Peer, bits: float, decibels: float) -> None:
    check(peer, bits, decibels)


@pytest.mark.parametrize("kind", ggml_library.TYPES)
def test_ggml_and_gguf_read_the_same_numbers(kind: str) -> None:
    columns = 1024
    stored = ggml_library.quantize(kind, gaussian(4)[:, :columns].numpy())
    read = ggml_library.dequantize(kind, stored, columns)
    assert np.array_equal(read, dequantize_by_gguf(stored, GGMLQuantizationType[kind.upper()]))


@pytest.mark.parametrize("kind", ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "tq1_0", "tq2_0", "mxfp4"])
def test_ggml_and_gguf_write_the_same_bytes(kind: str) -> None:
    values = gaussian(4).numpy()
    assert np.array_equal(
        ggml_library.quantize(kind, values), quantize_by_gguf(values, GGMLQuantizationType[kind.upper()])
    )


def test_an_imatrix_of_weights_moves_the_error_to_light_columns() -> None:
    values = gaussian(8).numpy()
    heavy = np.where(np.arange(4096) % 2 == 0, 100.0, 1.0).astype(np.float32)
    errors = []
    for importance in (None, heavy):
        read = ggml_library.dequantize("q4_k", ggml_library.quantize("q4_k", values, importance), 4096)
        errors.append(np.square(values - read)[:, ::2].sum())
    assert errors[1] < errors[0]
