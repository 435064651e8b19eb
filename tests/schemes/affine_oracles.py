"""What the owners' own tools read from affine integers, and what they write."""

import torch
from torch import Tensor

from app.schemes.scheme import QuantizedTensor


def sqnr(values: Tensor, back: Tensor) -> float:
    """In decibels."""
    exact = values.to(torch.float64)
    return float(10 * torch.log10(exact.square().sum() / (exact - back.to(torch.float64)).square().sum()))


def distribution(name: str, rows: int, columns: int) -> Tensor:
    """float32 of unit scale: `gaussian`, `laplace` or `student` with five degrees."""
    random = torch.Generator().manual_seed(23)
    normal = torch.randn(rows, columns, generator=random)
    if name == "laplace":
        uniform = torch.rand(rows, columns, generator=random) - 0.5
        return (uniform.sign() * -torch.log1p(-2 * uniform.abs())).contiguous()
    if name == "student":
        return normal / torch.randn(rows, columns, 5, generator=random).square().mean(dim=2).sqrt()
    return normal


def mlx_dequantized(stored: QuantizedTensor, bits: int, group: int) -> Tensor:
    """MLX's own, in float32."""
    import mlx.core as mx
    import numpy as np

    assert stored.scales is not None
    assert stored.zero_points is not None
    words = mx.array(stored.codes.contiguous().view(torch.int32).numpy().view(np.uint32))
    scales, biases = (mx.array(each.to(torch.float32).numpy()) for each in (stored.scales, stored.zero_points))
    return torch.from_numpy(np.array(mx.dequantize(words, scales, biases, group_size=group, bits=bits)))


def mlx_sqnr(values: Tensor, bits: int, group: int) -> float:
    """Of MLX's own quantizer with float16 scales."""
    import mlx.core as mx
    import numpy as np

    words, scales, biases = mx.quantize(mx.array(values.numpy()).astype(mx.float16), group_size=group, bits=bits)
    back = mx.dequantize(words, scales.astype(mx.float32), biases.astype(mx.float32), group_size=group, bits=bits)
    return sqnr(values, torch.from_numpy(np.array(back)))


def packed_scheme(bits: int, group: int | None):  # type: ignore[no-untyped-def]
    """compressed-tensors' asymmetric integers for weights, of groups or rows."""
    from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme

    strategy = "group" if group else "channel"
    weights = QuantizationArgs(num_bits=bits, type="int", strategy=strategy, group_size=group, symmetric=False)
    return QuantizationScheme(targets=["Linear"], weights=weights)


def packed_dequantized(stored: QuantizedTensor, bits: int, group: int | None) -> Tensor:
    """What compressed-tensors' decompressor gives, in the dtype of the scales."""
    from compressed_tensors.compressors.pack_quantized.base import PackedQuantizationCompressor

    state = {
        "weight_packed": stored.codes.contiguous().view(torch.int32),
        "weight_scale": stored.scales,
        "weight_zero_point": stored.zero_points,
        "weight_shape": torch.tensor(stored.shape),
    }
    back: Tensor = PackedQuantizationCompressor.decompress(state, packed_scheme(bits, group))["weight"]
    return back


def packed_sqnr(values: Tensor, bits: int, group: int) -> float:
    """Of compressed-tensors' own: zero points and bfloat16 scales from the least and the largest number."""
    from compressed_tensors.compressors.pack_quantized.base import PackedQuantizationCompressor
    from compressed_tensors.quantization.utils import calculate_qparams

    scheme = packed_scheme(bits, group)
    groups = values.view(values.shape[0], -1, group)
    low, high = groups.amin(dim=2), groups.amax(dim=2)
    scales, zero_points = calculate_qparams(low.to(torch.bfloat16), high.to(torch.bfloat16), scheme.weights)
    state = {"weight": values, "weight_scale": scales.to(torch.bfloat16), "weight_zero_point": zero_points}
    compressed = PackedQuantizationCompressor.compress(state, scheme)
    return sqnr(values, PackedQuantizationCompressor.decompress(compressed, scheme)["weight"])
