"""Values to codes of every scalar format of 64 bits or fewer, by own integer arithmetic: no cast of torch's decides."""

from torch import Tensor

from app.codec.codebooks import encode_codebook
from app.codec.encode_floats import encode_float
from app.codec.integers import encode_bool, encode_whole
from app.codec.refusals import refuse_wide
from app.codec.rounding import find_mode
from app.codec.significands import take_apart
from app.codec.storage_types import narrow_codes
from app.codec.tapered import encode_tapered
from app.formats import (
    BooleanFormat,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    PositFormat,
    TakumFormat,
)


def encode(
    values: Tensor,
    number_format: Format,
    rounding: str = "nearest_even",
    overflow: str | None = None,
    seed: int | None = None,
    *,
    offset: int = 0,
) -> Tensor:
    """The codes of floating-point or integer values, rounded once; see `storage_types` for their dtype.

    `rounding` and `overflow` are those of `app.exact`, with the same results, and `stochastic`: the larger magnitude
    with a probability equal to the share of the way to it, in steps of 2^-32, never for numbers that the format has.
    What comes up depends on `seed` and an element's place alone: `offset` is the place of the first element, for
    tensors that are rounded by chunks. The step beyond the largest float counts as one: rounding up to it is overflow.

    NaN becomes the format's canonical NaN with its sign; numbers without a code (zero in E8M0, negatives in unsigned
    floats) become NaN. Needs about 100 bytes a value while it runs: callers with large tensors go by chunks.

    Raises:
        InvalidInput: `codec.too-wide`; `codec.nan`, `codec.negative` and `codec.zero` with the count of values that
            have no code where the format has no NaN; `number.infinity-wrap`; an unknown mode, or one that the format
            does not have; `codec.seed-missing`.
    """
    refuse_wide(number_format)
    mode = find_mode(values, number_format, rounding, overflow, seed, offset)
    if isinstance(number_format, CodebookFormat):
        return narrow_codes(encode_codebook(values, number_format, mode), number_format)
    parts = take_apart(values)
    match number_format:
        case FloatFormat():
            wide = encode_float(parts, number_format, mode)
        case IntegerFormat() | FixedPointFormat():
            wide = encode_whole(parts, number_format, mode)
        case PositFormat() | TakumFormat():
            wide = encode_tapered(parts, number_format, mode)
        case BooleanFormat():
            wide = encode_bool(parts, number_format)
    return narrow_codes(wide, number_format)
