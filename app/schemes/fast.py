"""Quantizing at the speed of memory on the CPU: compiled passes for schemes of one grid and one scale a block.

What a scheme's own `quantize` gives, with codes equal for equal scales and searched scales within 0.01 dB, and what its
`dequantize` gives, bit for bit; what no kernel knows goes there. Numba is imported on first use; kernels are compiled
once and kept on disk. `app.schemes.fast_measured` quantizes and adds up the error in one go:

    quantize_measured(scheme, values, choices, out=None) -> tuple[QuantizedTensor, PairSums]

where sums of neighbouring bands add up (`+`) and tell `figures()`. `app.schemes.bands` fixes what a whole matrix shares
(the only scale, NVFP4's global one, the offset of nested ones), so that bands of rows get the bytes of the whole:

    step = row_step(scheme, columns, choices)  # bands of a multiple of so many rows; None: only the whole
    fixed = pinned(scheme, bands, choices)     # bands() gives all bands anew; not asked where nothing is shared
    parts = [quantize_measured(fixed, band, choices) for band in bands()]
    whole = joined(fixed, [stored for stored, _ in parts])
"""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from app.codec.fast import decode_fast, encode_fast
from app.schemes.affine import AffineScheme
from app.schemes.gguf_affine import GgufAffineScheme
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.grid_scheme import GridScheme
from app.schemes.k_quants import SuperBlockScheme
from app.schemes.plain_casts import CastScheme
from app.schemes.scheme import Choices, QuantizedTensor, Scheme, check_values

if TYPE_CHECKING:
    from app.schemes.fast_decode import Decoding

_BYTE = 8


def quantize_fast(
    scheme: Scheme, values: Tensor, choices: Choices, out: QuantizedTensor | None = None
) -> QuantizedTensor:
    """The matrix as the layout stores it; the arguments are those of `Scheme.quantize`.

    `out`, an earlier result for the same shape and scheme, lends its memory to the new one.

    Raises:
        InvalidInput: what the scheme refuses.
    """
    if isinstance(scheme, SuperBlockScheme) and not values.is_cuda:
        from app.schemes.k_quants_fast import quantize_super_blocks  # noqa: PLC0415 - numba is imported on first use

        return quantize_super_blocks(scheme, values, choices, out) or scheme.quantize(values, choices)
    if not values.is_cuda and choices.seed is None and choices.importance is None and values.numel():
        found = _quantize(scheme, values, choices, out)
        if found is not None:
            return found
    return scheme.quantize(values, choices)


def dequantize_fast(
    scheme: Scheme, stored: QuantizedTensor, out: Tensor | None = None, threads: int | None = None
) -> Tensor:
    """float32 `[rows, columns]`: bit for bit what `Scheme.dequantize` gives, into `out` where that is given.

    `threads` is torch's number by default.
    """
    decoding = None if isinstance(scheme, CastScheme) else decoding_of(scheme, stored)
    if stored.codes.is_cuda or not (decoding or isinstance(scheme, CastScheme)):
        found = scheme.dequantize(stored)
        return found if out is None else out.copy_(found)
    values = torch.empty(stored.shape, dtype=torch.float32) if out is None else out
    assert values.is_contiguous(), "kernels write plain memory"
    assert values.dtype == torch.float32, "kernels write float32"
    assert values.shape == stored.shape, "memory of another shape"
    if isinstance(scheme, CastScheme):
        return decode_fast(scheme.codes(stored), scheme.number_format, threads=threads, out=values)
    assert decoding is not None
    decoding.into(values.view(-1).numpy(), threads)
    return values


def decoding_of(scheme: Scheme, stored: QuantizedTensor) -> "Decoding | None":
    """The compiled pass from a stored matrix to its numbers or to sums of their errors; None where there is none."""
    if stored.codes.is_cuda or not stored.codes.is_contiguous() or not stored.codes.numel():
        return None
    from app.schemes import fast_decode, fast_decode_blocks  # noqa: PLC0415 - numba is imported on first use only

    match scheme:
        case GridScheme():
            return fast_decode.grid_decoding(scheme, stored)
        case AffineScheme():
            return fast_decode.affine_decoding(scheme, stored)
        case GgufBlockScheme() | GgufAffineScheme():
            return fast_decode_blocks.block_decoding(scheme, stored)
        case SuperBlockScheme():
            return fast_decode_blocks.super_block_decoding(scheme, stored)
    return None


def _quantize(scheme: Scheme, values: Tensor, choices: Choices, out: QuantizedTensor | None) -> QuantizedTensor | None:
    if isinstance(scheme, GridScheme):
        from app.schemes.fast_grids import quantize_grid  # noqa: PLC0415 - numba is imported on first use only

        return quantize_grid(scheme, values, choices, out)
    if isinstance(scheme, AffineScheme):
        from app.schemes.affine_fast import quantize_affine  # noqa: PLC0415 - as above

        return quantize_affine(scheme, values, choices, out)
    if isinstance(scheme, GgufBlockScheme):
        from app.schemes.fast_gguf import quantize_gguf  # noqa: PLC0415 - as above

        return quantize_gguf(scheme, values, choices, out)
    if isinstance(scheme, CastScheme):
        return _cast(scheme, values, choices, out)
    return None


def _cast(scheme: CastScheme, values: Tensor, choices: Choices, out: QuantizedTensor | None) -> QuantizedTensor:
    check_values(values, choices)
    codes = None if out is None or scheme.number_format.width < _BYTE else scheme.codes(out)
    return scheme.packed(
        encode_fast(values, scheme.number_format, overflow=scheme.overflow(), threads=choices.threads, out=codes)
    )
