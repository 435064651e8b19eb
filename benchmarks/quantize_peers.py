"""Adapters to other quantizers, one small class each: encode a float32 matrix, decode it, count the bits it takes.

Each calls its owner's own public quantizer with the owner's own defaults; where the owner keeps scales in the dtype of
the model, that is a 16-bit one here, as in the files that people make. Owners are imported on first use.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor


class Peer(Protocol):
    """Another quantizer, set to one of its formats."""

    def encode(self, values: Tensor) -> Any:
        """What the owner's quantizer gives for a float32 matrix whose values float16 holds."""
        ...

    def decode(self, encoded: Any) -> Tensor:
        """float32 of the same shape, by the owner's own dequantizer."""
        ...

    def stored_bits(self, encoded: Any) -> int:
        """All bits that the owner's layout keeps: codes, scales, zero points and scales of scales."""
        ...


def _bits(*tensors: Tensor) -> int:
    return sum(8 * tensor.numel() * tensor.element_size() for tensor in tensors)


@dataclass(frozen=True, slots=True)
class TorchaoInt8:
    """`Int8Tensor`: a float32 scale a row."""

    def encode(self, values: Tensor) -> Any:
        from torchao.quantization import Int8Tensor
        from torchao.quantization.granularity import PerRow

        return Int8Tensor.from_hp(values, PerRow())

    def decode(self, encoded: Any) -> Tensor:
        return encoded.dequantize().to(torch.float32)

    def stored_bits(self, encoded: Any) -> int:
        return _bits(encoded.qdata, encoded.scale)


@dataclass(frozen=True, slots=True)
class TorchaoFloat8:
    """`Float8Tensor`: E4M3 with a float32 scale a row."""

    def encode(self, values: Tensor) -> Any:
        from torchao.quantization import Float8Tensor
        from torchao.quantization.granularity import PerRow

        return Float8Tensor.from_hp(values, granularity=PerRow())

    def decode(self, encoded: Any) -> Tensor:
        return encoded.dequantize().to(torch.float32)

    def stored_bits(self, encoded: Any) -> int:
        return _bits(encoded.qdata, encoded.scale)


@dataclass(frozen=True, slots=True)
class TorchaoInt4:
    """`IntxWeightOnlyConfig` with bfloat16 scales and, asymmetric, zero points of 8 bits; codes counted as 4 bits."""

    group: int
    mapping: str = "SYMMETRIC"
    algorithm: str = "AFFINE"

    def encode(self, values: Tensor) -> Any:
        from torchao.quantization import IntxWeightOnlyConfig, quantize_
        from torchao.quantization.granularity import PerGroup
        from torchao.quantization.quant_api import IntxChooseQParamsAlgorithm, MappingType

        config = IntxWeightOnlyConfig(
            weight_dtype=torch.int4,
            granularity=PerGroup(self.group),
            mapping_type=MappingType[self.mapping],
            scale_dtype=torch.bfloat16,
            intx_choose_qparams_algorithm=IntxChooseQParamsAlgorithm[self.algorithm],
        )
        layer = torch.nn.Linear(values.shape[1], values.shape[0], bias=False, device="meta")
        layer.weight = torch.nn.Parameter(values, requires_grad=False)
        quantize_(layer, config)
        return layer.weight

    def decode(self, encoded: Any) -> Tensor:
        levels = encoded.qdata.to(torch.float32).unflatten(1, (-1, self.group))
        zero_points = encoded.zero_point.to(torch.float32)[:, :, None]
        return ((levels - zero_points) * encoded.scale.to(torch.float32)[:, :, None]).flatten(1)

    def stored_bits(self, encoded: Any) -> int:
        zero_points = 0 if self.mapping == "SYMMETRIC" else _bits(encoded.zero_point)
        return 4 * encoded.qdata.numel() + 16 * encoded.scale.numel() + zero_points


@dataclass(frozen=True, slots=True)
class TorchaoMx:
    """`MXTensor`, blocks of 32."""

    element: torch.dtype
    mode: str

    def encode(self, values: Tensor) -> Any:
        from torchao.prototype.mx_formats.config import ScaleCalculationMode
        from torchao.prototype.mx_formats.mx_tensor import MXTensor

        return MXTensor.to_mx(values, self.element, 32, ScaleCalculationMode[self.mode])

    def decode(self, encoded: Any) -> Tensor:
        return encoded.dequantize(torch.float32)

    def stored_bits(self, encoded: Any) -> int:
        return _bits(encoded.qdata.view(torch.uint8), encoded.scale.view(torch.uint8))


@dataclass(frozen=True, slots=True)
class TorchaoNvfp4:
    """`NVFP4Tensor` with the scale of the tensor."""

    def encode(self, values: Tensor) -> Any:
        from torchao.prototype.mx_formats.nvfp4_tensor import NVFP4Tensor, per_tensor_amax_to_scale

        largest = per_tensor_amax_to_scale(values.abs().max())
        return NVFP4Tensor.to_nvfp4(values, per_tensor_scale=largest)

    def decode(self, encoded: Any) -> Tensor:
        return encoded.dequantize(torch.float32)

    def stored_bits(self, encoded: Any) -> int:
        return _bits(encoded.qdata.view(torch.uint8), encoded.scale.view(torch.uint8), encoded.per_tensor_scale)


@dataclass(frozen=True, slots=True)
class BitsandbytesFour:
    """`quantize_4bit`."""

    kind: str
    block: int = 64
    is_double: bool = False

    def encode(self, values: Tensor) -> Any:
        from bitsandbytes import functional

        return functional.quantize_4bit(
            values, blocksize=self.block, quant_type=self.kind, compress_statistics=self.is_double
        )

    def decode(self, encoded: Any) -> Tensor:
        from bitsandbytes import functional

        return functional.dequantize_4bit(*encoded)

    def stored_bits(self, encoded: Any) -> int:
        packed, state = encoded
        nested = (state.state2.absmax, state.offset) if self.is_double else ()
        return _bits(packed, state.absmax, *nested)


@dataclass(frozen=True, slots=True)
class BitsandbytesInt8:
    """`int8_vectorwise_quant`, of float16: the row's largest magnitude in float32."""

    def encode(self, values: Tensor) -> Any:
        from bitsandbytes import functional

        return functional.int8_vectorwise_quant(values.to(torch.float16))[:2]

    def decode(self, encoded: Any) -> Tensor:
        codes, largest = encoded
        return codes.to(torch.float32) * (largest[:, None] / 127)

    def stored_bits(self, encoded: Any) -> int:
        return _bits(*encoded)


@dataclass(frozen=True, slots=True)
class Quanto:
    """`quantize_weight` of float16, which is the dtype of its scales and shifts; groups along a row, or whole rows."""

    bits: int
    group: int | None = None
    optimizer: str = "MaxOptimizer"

    def encode(self, values: Tensor) -> Any:
        from optimum import quanto

        kind = getattr(quanto, f"qint{self.bits}")
        optimizer = getattr(quanto, self.optimizer)()
        half = values.to(torch.float16)
        if self.group is None:
            return quanto.quantize_weight(half, kind, 0, optimizer(half, kind, 0), optimized=False)
        scale, shift = optimizer(half, kind, 0, self.group)
        return quanto.quantize_weight(half, kind, 0, scale, shift, self.group, optimized=False)

    def decode(self, encoded: Any) -> Tensor:
        return encoded.dequantize().to(torch.float32)

    def stored_bits(self, encoded: Any) -> int:
        shifts = () if self.group is None else (encoded._shift,)  # noqa: SLF001 - it has no other name
        return self.bits * encoded.numel() + _bits(encoded._scale, *shifts)  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class Hqq:
    """`Quantizer` along rows; scales and zeros kept in float16, read in float32."""

    bits: int
    group: int
    is_optimized: bool = True

    def encode(self, values: Tensor) -> Any:
        from hqq.core.quantize import Quantizer

        codes, meta = Quantizer.quantize(
            values, nbits=self.bits, group_size=self.group, optimize=self.is_optimized, axis=1, device="cpu"
        )
        return codes, {**meta, "scale": meta["scale"].to(torch.float16), "zero": meta["zero"].to(torch.float16)}

    def decode(self, encoded: Any) -> Tensor:
        from hqq.core.quantize import Quantizer

        codes, meta = encoded
        wide = {name: meta[name].to(torch.float32) for name in ("scale", "zero")}
        return Quantizer.dequantize(codes, {**meta, **wide, "compute_dtype": torch.float32})

    def stored_bits(self, encoded: Any) -> int:
        codes, meta = encoded
        return _bits(codes, meta["scale"], meta["zero"])
