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

from app.codec.storage_types import code_dtype, torch_dtype
from app.formats import FloatFormat, Format

_REFUSALS = (ArithmeticError, ValueError, TypeError, RuntimeError)
"""All that the libraries raise for a number they will not take."""

_WORDS = {1: "u1", 8: "u1", 16: "u2", 32: "u4", 64: "u8"}


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
    raw = np.array([code], dtype=_word(number_format))
    # torch has no public view from most unsigned words: the code travels as the signed word of the same bits.
    bits = torch.from_numpy(raw.view(f"i{raw.itemsize}")).view(code_dtype(number_format))
    own = bits.bool() if number_format.width == 1 else bits.view(torch_dtype(number_format))
    dtype = _array_dtype(number_format)
    return (
        ReadNumber("torch", _torch_number(own)),
        ReadNumber(_library_of(dtype), _array_number(raw.view(dtype))),
    )


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
    own_dtype, word = torch_dtype(number_format), code_dtype(number_format)
    mask = (1 << number_format.width) - 1

    def store_in_torch(number: int | float) -> int:
        return int(torch.tensor([number], dtype=own_dtype).view(word).item()) & mask

    yield "torch", store_in_torch
    dtype = _array_dtype(number_format)

    def store_in_array(number: int | float) -> int:
        with np.errstate(all="ignore"):
            array = np.array([dtype.type(number)])
        return int(array.view(_word(number_format))[0])

    yield _library_of(dtype), store_in_array


def _code(store: Store, number: int | float | None) -> int | None:
    try:
        return None if number is None else store(number)
    except _REFUSALS:
        return None


def _array_dtype(number_format: Format) -> "np.dtype[Any]":
    return np.dtype(getattr(ml_dtypes, number_format.name, number_format.name))


def _library_of(dtype: "np.dtype[Any]") -> str:
    return "ml_dtypes" if dtype.type.__module__.startswith("ml_dtypes") else "numpy"


def _word(number_format: Format) -> "np.dtype[Any]":
    return np.dtype(_WORDS[number_format.width])


def _torch_number(tensor: torch.Tensor) -> int | float:
    """float8 and the unsigned dtypes have few operations; all of them have `item`."""
    value = tensor[0].item()
    assert isinstance(value, int | float)
    return value


def _array_number(array: "np.ndarray[Any, Any]") -> int | float:
    with np.errstate(all="ignore"):
        number = array[0]
        return int(number) if array.dtype.kind in "iub" else float(number)
