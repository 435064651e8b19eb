"""Quantizing at the speed of memory on the CPU: compiled passes for schemes of one grid and one scale a block.

What a scheme's own `quantize` gives, with codes equal for equal scales and searched scales within 0.01 dB, and what its
`dequantize` gives, bit for bit; what no kernel knows goes there. Numba is imported on first use; kernels are compiled
once and kept on disk. `app.schemes.fast_measured` quantizes and adds up the error in one go:

    quantize_measured(scheme, values, choices, out=None) -> tuple[QuantizedTensor, PairSums]

where sums of neighbouring bands add up (`+`) and tell `figures()`.
"""

from torch import Tensor

from app.codec.fast import encode_fast
from app.schemes.affine import AffineScheme
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.grid_scheme import GridScheme
from app.schemes.k_quants import SuperBlockScheme
from app.schemes.plain_casts import CastScheme
from app.schemes.scheme import Choices, QuantizedTensor, Scheme, check_values

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
    del threads
    found = scheme.dequantize(stored)
    return found if out is None else out.copy_(found)


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
