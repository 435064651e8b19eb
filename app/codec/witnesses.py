"""What torch, NumPy and ml_dtypes make of a number, asked the way their users ask: text -> Python number -> dtype.

Nothing is corrected here: double rounding, truncation and refusals are what this module is for. No exception or
warning of a library leaves it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import ml_dtypes
import numpy as np
import torch

from app.formats import FloatFormat, Format

_REFUSALS = (ArithmeticError, ValueError, TypeError, RuntimeError)
"""All that the libraries raise for a number they will not take."""

_WORDS = {8: "u1", 16: "u2", 32: "u4", 64: "u8"}
_BITS = {8: torch.uint8, 16: torch.int16, 32: torch.int32, 64: torch.int64}
_NUMPY_NAMES = frozenset(("bool", "float16", "float32", "float64", *(f"{s}int{w}" for s in ("", "u") for w in _WORDS)))
"""Of numpy's own types; its float128 is x87's format on x86-64 and none of its own."""
_NARROWEST_TORCH = 8
"""torch has names for narrower types, and no numbers of them."""


@dataclass(frozen=True, slots=True)
class StoredCode:
    """The code that a library stores for a number; None: it refuses."""

    library: str
    code: int | None


@dataclass(frozen=True, slots=True)
class ReadNumber:
    """The Python number that a library reads from a code."""

    library: str
    number: int | float


def ask_to_store(number: int | float | None, number_format: Format) -> tuple[StoredCode, ...]:
    """What each library that has the format stores for a Python number; None, where Python makes none, is refused."""
    return tuple(StoredCode(library, _code(store, number)) for library, store in _libraries(number_format))


def ask_to_read(code: int, number_format: Format) -> tuple[ReadNumber, ...]:
    """What number each library that has the format reads from a code."""
    return tuple(_readings(code, number_format))


def _readings(code: int, number_format: Format) -> Iterator[ReadNumber]:
    own_dtype, dtype = _torch_dtype(number_format), _array_dtype(number_format)
    if own_dtype is None and dtype is None:
        return
    raw = np.array([code], dtype=_word(number_format))
    if own_dtype is not None:
        # torch has no public view from most unsigned words: the code travels as the signed word of the same bits.
        bits = torch.from_numpy(raw.view(f"i{raw.itemsize}")).view(_bits(number_format))
        yield ReadNumber("torch", _torch_number(bits.bool() if own_dtype is torch.bool else bits.view(own_dtype)))
    if dtype is not None:
        yield ReadNumber(_library_of(dtype), _array_number(raw.view(dtype)))


def python_number(text: str, number_format: Format) -> int | float | None:
    """The Python number that a user would have written for this text; None where Python refuses it (`0x1p9999`)."""
    try:
        return _literal(text, is_float=isinstance(number_format, FloatFormat))
    except _REFUSALS:
        return None


def _literal(text: str, *, is_float: bool) -> int | float:
    """Whole literals of integer formats are an `int`, everything else a `float`."""
    word = text.strip(" ").lower()
    sign, bare = (-1, word[1:]) if word.startswith("-") else (1, word.removeprefix("+"))
    if bare.startswith(("nan", "snan")):
        return float("-nan") if sign < 0 else float("nan")
    if bare.startswith("0x") and ("p" in bare or "." in bare):
        return sign * float.fromhex(bare)
    if bare.startswith(("0x", "0b", "0o")):
        whole = sign * int(bare, 0)
        return float(whole) if is_float else whole
    if bare.isdigit() and not is_float:
        return sign * int(bare)
    return float(word)


Store = Callable[[int | float], int]
"""Stores a number and gives the code, or raises one of `_REFUSALS`."""


@cache
def _libraries(number_format: Format) -> tuple[tuple[str, Store], ...]:
    return tuple(_stores(number_format))


def _stores(number_format: Format) -> Iterator[tuple[str, Store]]:
    own_dtype, dtype = _torch_dtype(number_format), _array_dtype(number_format)
    mask = (1 << number_format.width) - 1

    def store_in_torch(number: int | float) -> int:
        return int(torch.tensor([number], dtype=own_dtype).view(_bits(number_format)).item()) & mask

    if own_dtype is not None:
        yield "torch", store_in_torch
    if dtype is None:
        return
    to_scalar = dtype.type

    def store_in_array(number: int | float) -> int:
        with np.errstate(all="ignore"):
            array = np.array([to_scalar(number)])
        return int(array.view(_word(number_format))[0]) & mask

    yield _library_of(dtype), store_in_array


def _code(store: Store, number: int | float | None) -> int | None:
    try:
        return None if number is None else store(number)
    except _REFUSALS:
        return None


def _torch_dtype(number_format: Format) -> torch.dtype | None:
    """torch's dtype of that name, where it can hold a number."""
    dtype = getattr(torch, number_format.name, None)
    narrow = number_format.width < _NARROWEST_TORCH and dtype is not torch.bool
    return dtype if isinstance(dtype, torch.dtype) and not narrow else None


def _array_dtype(number_format: Format) -> "np.dtype[Any] | None":
    """ml_dtypes' type of that name, else numpy's."""
    found = getattr(ml_dtypes, number_format.name, None)
    if isinstance(found, type):
        return np.dtype(found)
    return np.dtype(number_format.name) if number_format.name in _NUMPY_NAMES else None


def _bits(number_format: Format) -> torch.dtype:
    """torch's dtype for the bits of a code."""
    return _BITS[max(number_format.width, 8)]


def _library_of(dtype: "np.dtype[Any]") -> str:
    return "ml_dtypes" if dtype.type.__module__.startswith("ml_dtypes") else "numpy"


def _word(number_format: Format) -> "np.dtype[Any]":
    """A code of fewer than 8 bits has a byte of its own."""
    return np.dtype(_WORDS[max(number_format.width, 8)])


def _torch_number(tensor: torch.Tensor) -> int | float:
    """float8 and the unsigned dtypes have few operations; all of them have `item`."""
    value = tensor[0].item()
    assert isinstance(value, int | float)
    return value


def _array_number(array: "np.ndarray[Any, Any]") -> int | float:
    with np.errstate(all="ignore"):
        number = array[0]
        return int(number) if array.dtype.kind in "iub" else float(number)
