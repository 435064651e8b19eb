"""Quantizing and adding up the error in one go, without a second matrix in memory."""

from torch import Tensor

from app.metrics.error_sums import PairSums
from app.metrics.fast import pair_sums_fast
from app.schemes.fast import decoding_of, dequantize_fast, quantize_fast
from app.schemes.scheme import Choices, QuantizedTensor, Scheme


def quantize_measured(
    scheme: Scheme, values: Tensor, choices: Choices, out: QuantizedTensor | None = None
) -> tuple[QuantizedTensor, PairSums]:
    """What `app.schemes.fast.quantize_fast` gives for the same arguments, and the sums over values and restored ones.

    Sums are of float64 in an order that does not depend on threads. Those of neighbouring bands of rows add up:
    `sum(parts, NO_PAIRS)`; `PairSums.figures` and `app.metrics.tensor_error.error_of` tell SQNR and the like.

    Raises:
        InvalidInput: what the scheme refuses.
    """
    stored = quantize_fast(scheme, values, choices, out)
    decoding = decoding_of(scheme, stored)
    found = None if decoding is None else decoding.sums(values.view(-1).numpy(), choices.threads)
    return stored, found or pair_sums_fast(
        values, dequantize_fast(scheme, stored, threads=choices.threads), choices.threads
    )
