"""int8, symmetric, absmax: q = round(w / scale), one scale a row or a tensor; codes are stored as q + 128.

The stored bytes are compressed-tensors' `pack-quantized` layout for 8 bits: rows of codes as little-endian int32
words, the last word filled up with zeros.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

OFFSET = 128
LARGEST = 127
WORD_BYTES = 4


@dataclass(frozen=True, slots=True)
class QuantizedTensor:
    """Codes as stored (`[rows, packed columns]`, uint8), scales (`[rows, 1]` or `[1]`), and the original shape."""

    codes: Tensor
    scales: Tensor
    shape: tuple[int, int]


def scale_dtype(dtype: torch.dtype) -> torch.dtype:
    """Scales are stored in the tensor's own dtype, but float64's in float32: the layout's readers have no float64."""
    return torch.float32 if dtype is torch.float64 else dtype


def packed_columns(columns: int) -> int:
    """Bytes of a stored row: whole int32 words."""
    return -(-columns // WORD_BYTES) * WORD_BYTES


def absmax_scales(absmax: Tensor, dtype: torch.dtype) -> Tensor:
    """The stored scales for largest magnitudes: absmax / 127 in `dtype`, mended where that rounds badly.

    A scale that was rounded down among subnormals would clip the largest weights, so it goes one up; one that was
    rounded up near the end of the range would give infinity for 127, so it goes one down. Rows of zeros get 1.
    """
    exact = absmax.to(torch.float64)
    scales = (exact / LARGEST).to(dtype)
    upward = scales.to(torch.float64) * (LARGEST + 0.5) < exact
    scales = torch.where(upward, _next(scales, 1), scales)
    overflows = ~torch.isfinite((scales.to(torch.float64) * LARGEST).to(dtype))
    scales = torch.where(overflows, _next(scales, -1), scales)
    return torch.where(exact == 0, torch.ones_like(scales), scales)


def _next(scales: Tensor, steps: int) -> Tensor:
    """The neighbours of non-negative numbers: their codes are ordered like integers."""
    code_dtype = torch.int32 if scales.element_size() == 4 else torch.int16
    return (scales.view(code_dtype) + steps).view(scales.dtype)


def quantize_block(values: Tensor, scales: Tensor, codes: Tensor) -> None:
    """Writes the codes of `values` (overwritten: float32 or float64, `[rows, columns]`) into the uint8 `codes`.

    `scales` broadcasts over the rows and has the dtype of `values`.
    """
    values.div_(scales).round_().clamp_(-LARGEST, LARGEST).add_(OFFSET)
    codes.copy_(values)


def dequantize_block(codes: Tensor, scales: Tensor, out: Tensor) -> Tensor:
    """(code - 128) * scale as compressed-tensors multiplies: in the scales' dtype, rounded once.

    `out` is float32; the product of an 8-bit integer and a scale of 16 bits is exact there, then rounded to the dtype.
    """
    out.copy_(codes).sub_(OFFSET)
    out.mul_(scales.to(torch.float32))
    return out if scales.dtype is torch.float32 else out.to(scales.dtype)


def quantize(values: Tensor, granularity: str) -> QuantizedTensor:
    """A whole matrix at once; `granularity` is `channel` (a scale a row) or `tensor`."""
    rows, columns = values.shape
    dtype = scale_dtype(values.dtype)
    magnitudes = values.abs().amax(dim=1, keepdim=True) if granularity == "channel" else values.abs().amax().view(1)
    scales = absmax_scales(magnitudes, dtype)
    codes = torch.zeros(rows, packed_columns(columns), dtype=torch.uint8)
    work = values.to(work_dtype(values.dtype), copy=True)
    quantize_block(work, scales.to(work.dtype), codes[:, :columns])
    return QuantizedTensor(codes, scales, (rows, columns))


def dequantize(stored: QuantizedTensor) -> Tensor:
    """The matrix that a reader of the layout gets, in the scales' dtype."""
    out = torch.empty(stored.shape, dtype=torch.float32)
    return dequantize_block(stored.codes[:, : stored.shape[1]], stored.scales, out)


def work_dtype(dtype: torch.dtype) -> torch.dtype:
    """What w / scale is computed in."""
    return torch.float64 if dtype is torch.float64 else torch.float32
