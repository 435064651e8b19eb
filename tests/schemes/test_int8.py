import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from app.schemes.int8 import absmax_scales, dequantize, packed_columns, quantize
from app.schemes.matrix_blocks import bands, packed_range

DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def decompressed_by_the_package(stored, granularity: str) -> torch.Tensor:
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    weights = QuantizationArgs(num_bits=8, type="int", symmetric=True, strategy=granularity)
    scheme = QuantizationScheme(targets=["Linear"], weights=weights)
    compressor = BaseCompressor.get_value_from_registry("pack-quantized")
    state = {
        "weight_packed": stored.codes.contiguous().view(torch.int32),
        "weight_scale": stored.scales,
        "weight_shape": torch.tensor(stored.shape),
    }
    return compressor.decompress(state, scheme)["weight"]


@pytest.mark.parametrize("granularity", ["channel", "tensor"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [1, 3, 4, 37])
def test_the_package_decompresses_to_what_we_do(dtype: torch.dtype, granularity: str, columns: int) -> None:
    values = torch.randn(11, columns, generator=torch.Generator().manual_seed(columns)).to(dtype)
    values[3] = 0
    values[4] *= 1e-6
    stored = quantize(values, granularity)
    ours, theirs = dequantize(stored), decompressed_by_the_package(stored, granularity)
    assert ours.dtype == theirs.dtype == dtype
    assert torch.equal(ours.view(torch.uint8), theirs.view(torch.uint8))


@pytest.mark.parametrize("granularity", ["channel", "tensor"])
def test_the_package_packs_the_same_words(granularity: str) -> None:
    from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32

    stored = quantize(torch.randn(5, 10, generator=torch.Generator().manual_seed(5)), granularity)
    signed = (stored.codes[:, :10].to(torch.int16) - 128).to(torch.int8)
    assert torch.equal(pack_to_int32(signed, 8), stored.codes.view(torch.int32))


def test_the_package_infers_this_layout_from_the_config() -> None:
    from compressed_tensors.compressors.format import infer_module_format
    from compressed_tensors.quantization import QuantizationConfig

    from app.schemes.compressed_tensors_config import int8_config

    for granularity in ("channel", "tensor"):
        document = int8_config(granularity=granularity, ignore=["lm_head"], has_embeddings=False)
        config = QuantizationConfig.model_validate(document)
        assert infer_module_format(torch.nn.Linear, config.config_groups["group_0"]).value == config.format


@settings(max_examples=200, deadline=None)
@given(
    magnitude=st.floats(min_value=0, max_value=3.4028234663852886e38, width=32),
    dtype=st.sampled_from(DTYPES),
)
def test_every_scale_is_usable(magnitude: float, dtype: torch.dtype) -> None:
    largest = torch.tensor([magnitude], dtype=torch.float32).clamp(max=torch.finfo(dtype).max).to(dtype)
    scale = absmax_scales(largest, dtype)
    assert float(scale) > 0
    assert bool(torch.isfinite(scale * torch.tensor([127.0], dtype=dtype)))
    # The largest magnitude is not clipped by more than half a step.
    assert float(largest) <= 127.5 * float(scale)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_ends_of_each_range_come_back_finite(dtype: torch.dtype) -> None:
    info = torch.finfo(dtype)
    values = torch.tensor(
        [[info.max, -info.max, 0], [info.tiny, -info.tiny, 0], [info.smallest_normal * 2, 0, 0], [0, 0, 0]], dtype=dtype
    )
    restored = dequantize(quantize(values, "channel"))
    assert bool(torch.isfinite(restored).all())
    error = (restored.double() - values.double()).abs()
    assert bool(
        (error <= values.double().abs().amax(1, keepdim=True) / 127 + 2 * float(info.smallest_normal) * 1e-2).all()
    )
    assert torch.equal(restored[3], values[3])


def test_a_subnormal_float16_scale_is_rounded_up_not_down() -> None:
    smallest = 2.0**-24
    values = torch.tensor([[127 * 1.4 * smallest]], dtype=torch.float16)
    stored = quantize(values, "channel")
    assert float(stored.scales) == 2 * smallest
    assert abs(float(dequantize(stored)) - float(values)) <= smallest


def test_float64_has_scales_of_float32() -> None:
    values = torch.randn(4, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    stored = quantize(values, "channel")
    scales = stored.scales.double().numpy()
    assert stored.scales.dtype is torch.float32
    codes = stored.codes[:, :9].numpy().astype(int) - 128
    assert (codes == np.rint(values.numpy() / scales)).all()


def test_codes_use_the_whole_range_and_ties_go_to_even() -> None:
    stored = quantize(torch.tensor([[127.0, -127.0, 0.5, 1.5, -2.5]]), "channel")
    assert (stored.codes[0].int() - 128).tolist()[:5] == [127, -127, 0, 2, -2]
    assert stored.codes[0, 5:].tolist() == [0, 0, 0]


@settings(max_examples=100, deadline=None)
@given(rows=st.integers(1, 9), columns=st.integers(1, 50), most=st.integers(4, 60))
def test_bands_cover_a_matrix_once_and_its_words_once(rows: int, columns: int, most: int) -> None:
    seen = np.zeros((rows, columns), dtype=int)
    packed = np.zeros(rows * packed_columns(columns), dtype=int)
    for pieces in bands(rows, columns, most):
        assert len({(piece.row, piece.row_end) for piece in pieces}) == 1
        for piece in pieces:
            assert piece.elements <= most
            assert piece.column % 4 == 0
            seen[piece.row : piece.row_end, piece.column : piece.column_end] += 1
            first, count = packed_range(piece, columns)
            packed[first : first + count] += 1
    assert (seen == 1).all()
    assert (packed == 1).all()
