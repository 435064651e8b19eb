"""Adapters to the quantizers that own a file layout: compressed-tensors, MLX and GGUF; see quantize_peers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.oracles import ggml_library


@dataclass(frozen=True, slots=True)
class CompressedTensors:
    """A preset's weights, scales by `calculate_qparams`; integers' scales in bfloat16, floats' in float32."""

    preset: str

    def encode(self, values: Tensor) -> Any:
        from compressed_tensors.quantization import preset_name_to_scheme, quantize
        from compressed_tensors.quantization.utils import calculate_qparams, generate_gparam

        arguments = preset_name_to_scheme(self.preset, ["Linear"]).weights
        groups = values.unflatten(1, (-1, arguments.group_size or values.shape[1]))
        low, high = groups.amin(dim=2), groups.amax(dim=2)
        shared = None
        if arguments.strategy == "tensor_group":
            shared = generate_gparam(values.amin(), values.amax())
        scales, zero_points = calculate_qparams(low, high, arguments, global_scale=shared)
        if arguments.type == "int":
            scales = scales.to(torch.bfloat16).to(torch.float32)
        codes = quantize(values, scales, zero_points, arguments, global_scale=shared)
        return codes, scales, zero_points, arguments, shared

    def decode(self, encoded: Any) -> Tensor:
        from compressed_tensors.quantization import dequantize

        codes, scales, zero_points, arguments, shared = encoded
        return dequantize(codes, scales, zero_points, arguments, dtype=torch.float32, global_scale=shared)

    def stored_bits(self, encoded: Any) -> int:
        codes, scales, zero_points, arguments, shared = encoded
        scale_bits = 16 if arguments.type == "int" else 32
        if arguments.scale_dtype is not None:
            scale_bits = 8 * arguments.scale_dtype.itemsize
        zero_bits = 0 if arguments.symmetric else arguments.num_bits * zero_points.numel()
        return codes.numel() * arguments.num_bits + scales.numel() * scale_bits + zero_bits + 32 * (shared is not None)


@dataclass(frozen=True, slots=True)
class Mlx:
    """`mlx.core.quantize` of float16, which is the dtype of its scales and biases."""

    bits: int
    group: int
    mode: str = "affine"

    def encode(self, values: Tensor) -> Any:
        import mlx.core as mx

        found = mx.quantize(
            mx.array(values.numpy().astype(np.float16)), group_size=self.group, bits=self.bits, mode=self.mode
        )
        mx.eval(*found)
        return found

    def decode(self, encoded: Any) -> Tensor:
        import mlx.core as mx

        # Scales and biases that are widened first give the sum in float32, not rounded to float16.
        wide = [each.astype(mx.float32) if self.mode == "affine" else each for each in encoded[1:]]
        values = mx.dequantize(
            encoded[0], *wide, group_size=self.group, bits=self.bits, mode=self.mode, dtype=mx.float32
        )
        return torch.from_numpy(np.array(values))

    def stored_bits(self, encoded: Any) -> int:
        return sum(8 * each.nbytes for each in encoded)


@dataclass(frozen=True, slots=True)
class Ggml:
    """ggml's C code, without an imatrix or with one of ones, which turns on its weighted search."""

    kind: str
    has_ones: bool = False

    def encode(self, values: Tensor) -> Any:
        ones = np.ones(values.shape[1], dtype=np.float32) if self.has_ones else None
        return ggml_library.quantize(self.kind, values.numpy(), ones), values.shape[1]

    def decode(self, encoded: Any) -> Tensor:
        return torch.from_numpy(ggml_library.dequantize(self.kind, *encoded))

    def stored_bits(self, encoded: Any) -> int:
        return 8 * encoded[0].nbytes


@dataclass(frozen=True, slots=True)
class GgufPython:
    """`gguf.quants`, in NumPy."""

    kind: str

    def encode(self, values: Tensor) -> Any:
        from gguf import GGMLQuantizationType
        from gguf.quants import quantize

        return quantize(values.numpy(), GGMLQuantizationType[self.kind.upper()])

    def decode(self, encoded: Any) -> Tensor:
        from gguf import GGMLQuantizationType
        from gguf.quants import dequantize

        return torch.from_numpy(dequantize(encoded, GGMLQuantizationType[self.kind.upper()]))

    def stored_bits(self, encoded: Any) -> int:
        return 8 * encoded.nbytes
