"""Codes of float32 tensors and back at the speed of memory, for formats of up to 16 bits: compiled, in one pass.

Bit for bit what `app.codec.encode` and `decode` give; the first call of each kind compiles for about half a second.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.codec import tables
from app.codec.codebooks import rounded_float, share_rows
from app.codec.decode import decode
from app.codec.encode import encode
from app.codec.rounding import Rounding, find_mode
from app.codec.steps import steps_of, values_of
from app.codec.stochastic import BITS, halves_of_key
from app.codec.storage_types import code_dtype
from app.formats import (
    BooleanFormat,
    CodebookFormat,
    FixedPointFormat,
    FloatFormat,
    Format,
    IntegerFormat,
    Notation,
    PositFormat,
    TakumFormat,
)

WIDEST = 16
"""Bits of the widest code that the kernels write."""
_INFINITY = 0x7F800000
_SMALLEST_SHARE = 1 << 18
"""Elements below which a thread is not worth starting."""
_PLAIN_CHUNK = 1 << 20

_Pass = Callable[[Any, Any, int], int]
"""Encodes a stretch of words that begins at a place, and gives the largest magnitude in it."""


def encode_fast(
    values: Tensor,
    number_format: Format,
    rounding: str = "nearest_even",
    overflow: str | None = None,
    seed: int | None = None,
    *,
    offset: int = 0,
    threads: int | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The codes of a contiguous float32 tensor on the CPU; the arguments are those of `encode`.

    `out`, a contiguous tensor of the codes' dtype and the values' shape, is filled instead of a new one. `threads` is
    torch's number by default. No memory is needed but the codes'.

    Raises:
        InvalidInput: what `encode` refuses.
    """
    assert values.dtype == torch.float32, "kernels read float32"
    assert values.is_contiguous(), "kernels read plain memory"
    assert number_format.width <= WIDEST, f"{number_format.name} has more than {WIDEST} bits"
    codes = torch.empty(values.shape, dtype=code_dtype(number_format)) if out is None else out
    _check_memory(codes, values.shape, code_dtype(number_format))
    mode = find_mode(values.view(-1)[:0], number_format, rounding, overflow, seed, offset)
    limit = str(mode.overflow)
    one_pass = _pass_of(number_format, mode.rounding, limit, seed or 0)
    if one_pass is None:
        _encode_plainly(values, codes, number_format, (rounding, limit, seed, offset))
        return codes
    words = values.view(-1).numpy().view(np.uint32)
    flat = codes.view(-1).numpy()
    flat = flat.view(f"u{flat.itemsize}")
    found = _in_threads(
        lambda part: _by_keys(one_pass, words[part], flat[part], offset + part.start), len(words), threads
    )
    if max(found, default=0) > _largest_welcome(number_format, limit):
        _encode_plainly(values, codes, number_format, (rounding, limit, seed, offset))
    return codes


def decode_fast(
    codes: Tensor,
    number_format: Format,
    dtype: torch.dtype = torch.float32,
    *,
    threads: int | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """The values of codes as float32, or as float16 or bfloat16 cast from that: nearest-even where one does not fit."""
    assert codes.dtype == code_dtype(number_format), f"{codes.dtype} does not hold codes of {number_format.name}"
    assert number_format.width <= WIDEST, f"{number_format.name} has more than {WIDEST} bits"
    values = torch.empty(codes.shape, dtype=dtype) if out is None else out
    _check_memory(values, codes.shape, dtype)
    _check_memory(codes, codes.shape, codes.dtype)
    own = _own_dtype(number_format)
    if own is not None:
        return values.copy_(codes.view(own))
    from app.codec.kernels.lookup import lookup_kernel  # noqa: PLC0415 - numba is imported on first use only

    kernel, table = lookup_kernel(), _value_table(number_format, dtype)
    words = codes.view(-1).numpy()
    words = words.view(f"u{words.itemsize}")
    flat = _words_of(values.view(-1))
    mask = words.dtype.type((1 << number_format.width) - 1)
    _in_threads(lambda part: kernel(words[part], flat[part], table, mask), len(words), threads)
    return values


def _check_memory(tensor: Tensor, shape: torch.Size, dtype: torch.dtype) -> None:
    assert tensor.shape == shape, f"{tuple(tensor.shape)} is not {tuple(shape)}"
    assert tensor.dtype == dtype, f"{tensor.dtype} is not {dtype}"
    assert tensor.is_contiguous(), "kernels write plain memory"


def _in_threads(work: Callable[[slice], Any], count: int, threads: int | None) -> list[Any]:
    """The work done on equal stretches; kernels let go of Python's lock."""
    wanted = torch.get_num_threads() if threads is None else threads
    shares = max(1, min(wanted, count // _SMALLEST_SHARE))
    if shares == 1:
        return [work(slice(0, count))]
    ends = [count * index // shares for index in range(shares + 1)]
    with ThreadPoolExecutor(shares) as pool:
        return list(pool.map(work, (slice(start, end) for start, end in pairwise(ends))))


def _by_keys(one_pass: _Pass, words: Any, codes: Any, start: int) -> int:
    """The pass over stretches of places that have one key of random bits: 2^32 of them."""
    worst, done = 0, 0
    while done < len(words):
        here = min(len(words), done + (1 << BITS) - (start + done) % (1 << BITS))
        worst = max(worst, one_pass(words[done:here], codes[done:here], start + done))
        done = here
    return worst


def _draw(seed: int, start: int) -> tuple[np.uint32, ...]:
    """What kernels draw random bits by: the halves of the key, and the first place."""
    return _words((*halves_of_key(seed, start), start % (1 << BITS)))


def _encode_plainly(
    values: Tensor, codes: Tensor, number_format: Format, mode: tuple[str, str, int | None, int]
) -> None:
    """By the plain codec in chunks: what no kernel knows, and the sentence for what is refused."""
    rounding, overflow, seed, offset = mode
    flat, target = values.view(-1), codes.view(-1)
    for start in range(0, len(flat), _PLAIN_CHUNK):
        part = slice(start, start + _PLAIN_CHUNK)
        target[part] = encode(flat[part], number_format, rounding, overflow, seed, offset=offset + start)


def _largest_welcome(number_format: Format, overflow: str) -> int:
    """The largest magnitude of a float32 that has a code; NaNs have larger ones than infinity."""
    if isinstance(number_format, FloatFormat):
        return 0xFFFFFFFF if number_format.has_nan else _INFINITY
    if isinstance(number_format, PositFormat | TakumFormat):
        return 0xFFFFFFFF
    return _INFINITY - 1 if overflow == "wrap" else _INFINITY


@lru_cache(maxsize=256)
def _pass_of(number_format: Format, rounding: Rounding, overflow: str, seed: int) -> _Pass | None:
    """The compiled pass for a format and its modes; None where there is none."""
    match number_format:
        case FloatFormat():
            return _float_pass(number_format, rounding, overflow, seed)
        case IntegerFormat() | FixedPointFormat():
            return _whole_pass(number_format, rounding, overflow, seed)
        case PositFormat() | TakumFormat():
            return _tapered_pass(number_format, rounding, overflow, seed)
        case CodebookFormat() | BooleanFormat():
            return _steps_pass(number_format, rounding, seed)


def _words(numbers: tuple[int, ...]) -> tuple[np.uint32, ...]:
    return tuple(np.uint32(number) for number in numbers)


def _float_pass(number_format: FloatFormat, rounding: Rounding, overflow: str, seed: int) -> _Pass | None:
    from app.codec.kernels import floats, halves  # noqa: PLC0415 - numba is imported on first use only

    if number_format.name == "float8_e8m0fnu" and overflow == "ieee":
        scales = halves.e8m0_kernel(str(rounding))
        return lambda words, codes, start: scales(words, codes, _draw(seed, start)) or 0
    if number_format.name == "bfloat16" and overflow == "ieee":
        bfloat16 = halves.bfloat16_kernel(str(rounding))
        return lambda words, codes, start: bfloat16(words, codes, _draw(seed, start)) or 0
    is_float16 = number_format.name == "float16" and overflow == "ieee"
    if is_float16 and (float16 := halves.float16_kernel(str(rounding))) is not None:
        return lambda words, codes, _: float16(words, codes) or 0
    if not tables.has_parameters(number_format, rounding):
        return None
    parameters = _words(tables.float_parameters(number_format, rounding, overflow))
    if rounding is Rounding.STOCHASTIC and tables.is_closed(number_format, overflow):
        short = floats.stochastic_kernel(has_negative_zero=number_format.has_negative_zero)
        return lambda words, codes, start: short(words, codes, parameters, _draw(seed, start)) or 0
    is_common = tables.is_common(number_format)
    if rounding is Rounding.NEAREST_EVEN and tables.is_plain(number_format):
        general = floats.nearest_kernel()
    else:
        general = floats.float_kernel(str(rounding), is_common=is_common, is_signed=number_format.signed)
    edges = _words(tables.float_edges(number_format, rounding, overflow))
    return lambda words, codes, start: general(words, codes, parameters, edges, _draw(seed, start))


def _whole_pass(
    number_format: IntegerFormat | FixedPointFormat, rounding: Rounding, overflow: str, seed: int
) -> _Pass | None:
    if number_format.first_ordinal == number_format.last_ordinal:
        return None  # int1:sign-magnitude has nothing but two zeros, and saturates to the positive one
    from app.codec.kernels import wholes  # noqa: PLC0415 - numba is imported on first use only

    kernel = wholes.whole_kernel(str(rounding), wraps=overflow == "wrap")
    parameters = _words(tables.whole_parameters(number_format))
    return lambda words, codes, start: kernel(words, codes, parameters, _draw(seed, start))


def _tapered_pass(
    number_format: PositFormat | TakumFormat, rounding: Rounding, overflow: str, seed: int
) -> _Pass | None:
    from app.codec.kernels import tapered  # noqa: PLC0415 - numba is imported on first use only

    binades = tables.binades_of(number_format)
    if binades is None:
        return None
    kernel = tapered.tapered_kernel(str(rounding))
    last, nar = np.uint32(number_format.last_ordinal), np.uint32(number_format.nar_code)
    infinity = last if overflow == "saturate" else nar
    table = binades.words, binades.powers, binades.spans
    return lambda words, codes, start: kernel(words, codes, *table, last, infinity, nar, _draw(seed, start))


def _steps_pass(number_format: CodebookFormat | BooleanFormat, rounding: Rounding, seed: int) -> _Pass:
    from app.codec.kernels import steps  # noqa: PLC0415 - numba is imported on first use only

    if rounding is Rounding.STOCHASTIC and isinstance(number_format, CodebookFormat):
        return _stochastic_steps_pass(number_format, seed)
    mode = Rounding.NEAREST_EVEN if rounding is Rounding.STOCHASTIC else rounding
    kernel, table = steps.steps_kernel(), steps_of(number_format, str(mode))
    return lambda words, codes, _: kernel(words, codes, table.starts, table.places, table.codes)


def _stochastic_steps_pass(number_format: CodebookFormat, seed: int) -> _Pass:
    from app.codec.kernels import steps  # noqa: PLC0415 - numba is imported on first use only

    kernel, table = steps.stochastic_steps_kernel(), values_of(number_format)
    ordered = [number_format.values[code] for code in number_format.codes_in_order]
    exact = np.array([near if (near := rounded_float(value)) == value else math.nan for value in ordered])
    minus_zero = number_format.negative_zero
    zeros = (-1, -1) if minus_zero is None else (number_format.values.index(Fraction(0)), minus_zero)
    order = np.array([*number_format.codes_in_order, *zeros])
    rows, places = share_rows(number_format).numpy(), (table.starts, table.places, table.codes)
    return lambda words, codes, start: kernel(words, codes, places, rows, exact, order, _draw(seed, start))


def _own_dtype(number_format: Format) -> torch.dtype | None:
    """torch's dtype where it reads codes rightly and at the speed of memory."""
    is_plain_integer = isinstance(number_format, IntegerFormat) and number_format.notation is Notation.TWOS_COMPLEMENT
    names = {"bfloat16", "float16", "float8_e8m0fnu"} | ({"int8", "uint8", "int16"} if is_plain_integer else set())
    return getattr(torch, number_format.name) if number_format.name in names else None


@lru_cache(maxsize=16)
def _value_table(number_format: Format, dtype: torch.dtype) -> Any:
    count = 1 << number_format.width
    codes = torch.arange(count, dtype=torch.int64).to(code_dtype(number_format))
    return _words_of(decode(codes, number_format, torch.float32).to(dtype))


def _words_of(values: Tensor) -> Any:
    """A NumPy view of the bits: NumPy has no bfloat16."""
    return values.view(torch.int32 if values.itemsize == 4 else torch.int16).numpy()
