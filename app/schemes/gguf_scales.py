"""Scales in the bytes of GGUF blocks: float16 of either sign, E8M0 exponents, and E4M3 without a sign."""

import torch
from torch import Tensor

from app.schemes.scale_formats import ScaleFormat

E8M0_BEYOND = 0xFF
"""OCP has NaN here, and ggml reads 2^128, which is no float32: so it has 2^127 for levels twice as large."""
_E8M0_BIAS = 127
_UE4M3_ABSENT = 0x7F
"""What E4M3 has for NaN; ggml reads zero."""


def write_scales(scales: Tensor, scale_format: ScaleFormat) -> Tensor:
    """uint8 `[scales, bytes]` of storable float32 `[scales]`; zero is allowed, and the lowest exponent in E8M0."""
    if scale_format.name == "float8_e8m0fnu":
        exponents = torch.frexp(scales).exponent - 1 + _E8M0_BIAS
        return torch.where(scales > 0, exponents, 0).to(torch.uint8)[:, None]
    return scale_format.stored(scales).view(torch.uint8).view(len(scales), -1)


def read_scales(stored: Tensor, scale_format: ScaleFormat) -> Tensor:
    """float32 `[scales]` of any bytes (uint8 `[scales, bytes]`), as ggml reads them; 2^127 for `E8M0_BEYOND`."""
    if scale_format.name == "float16":
        return stored.contiguous().view(torch.float16).view(-1).to(torch.float32)
    codes = stored.view(-1).to(torch.int32)
    if scale_format.name == "float8_e8m0fnu":
        bits = torch.where(codes == 0, 1 << 22, codes.clamp(max=E8M0_BEYOND - 1) << 23)  # 2^-127 is a subnormal
        return bits.to(torch.int32).view(torch.float32)
    table = torch.tensor([*map(_ue4m3, range(1 << 7))], dtype=torch.float32, device=stored.device)
    return torch.where(codes == _UE4M3_ABSENT, 0.0, table[codes & 0x7F] / scale_format.divisor)


def _ue4m3(code: int) -> float:
    """E4M3 without sign and NaN: bias 7, 3 bits of mantissa."""
    exponent, mantissa = code >> 3, code & 7
    return (mantissa + 8 * (exponent > 0)) * 2.0 ** (max(exponent, 1) - 10)
