"""ggml's own C quantizers and dequantizers, from the library in the wheel of pywhispercpp, for tests and benchmarks."""

import ctypes
from functools import lru_cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TYPES = (
    {"q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8}
    | {"q2_k": 10, "q3_k": 11, "q4_k": 12, "q5_k": 13, "q6_k": 14}
    | {"iq4_nl": 20, "iq4_xs": 23, "tq1_0": 34, "tq2_0": 35, "mxfp4": 39, "nvfp4": 40}
)
"""Names in small letters, and the numbers of `enum ggml_type`; each is held against the library's own name for it."""

READ_ONLY_TYPES = (
    {"iq2_xxs": 16, "iq2_xs": 17, "iq3_xxs": 18, "iq1_s": 19, "iq3_s": 21, "iq2_s": 22, "iq1_m": 29, "q1_0": 41}
    | {"f16": 1, "bf16": 30}
)  # fmt: skip
"""Types that are only dequantized here."""

_NUMBERS = TYPES | READ_ONLY_TYPES

_TO_FLOAT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_FROM_FLOAT = _TO_FLOAT


class _Traits(ctypes.Structure):
    """`struct ggml_type_traits` of ggml 0.13."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("block", ctypes.c_int64),
        ("interleave", ctypes.c_int64),
        ("bytes", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", _TO_FLOAT),
        ("from_float_reference", _FROM_FLOAT),
    )


class _ProcessorTraits(ctypes.Structure):
    """`struct ggml_type_traits_cpu` of ggml 0.13."""

    _fields_ = (
        ("from_float", _FROM_FLOAT),
        ("vec_dot", ctypes.c_void_p),
        ("vec_dot_type", ctypes.c_int),
        ("rows", ctypes.c_int64),
    )


def block_bytes(type_name: str) -> tuple[int, int]:
    """How many numbers a block holds, and its bytes."""
    traits = _traits(type_name)
    return traits.block, traits.bytes


def row_bytes(type_name: str, columns: int) -> int:
    """The bytes of a row, which holds whole blocks."""
    block, size = block_bytes(type_name)
    assert columns % block == 0, f"{type_name} holds rows of whole blocks of {block}"
    return columns // block * size


def quantize(type_name: str, values: Array, importance: Array | None = None, out: Array | None = None) -> Array:
    """float32 `[rows, columns]` to uint8 `[rows, bytes]`, by `ggml_quantize_chunk`.

    `importance`: float32 `[columns]`, ggml's "imatrix"; None: each type's own way without one.
    """
    values = np.ascontiguousarray(values, dtype=np.float32)
    rows, columns = values.shape
    stored = np.empty((rows, row_bytes(type_name, columns)), dtype=np.uint8) if out is None else out
    weights = None
    if importance is not None:
        weights = np.ascontiguousarray(importance, dtype=np.float32)
        assert weights.shape == (columns,), "one weight a column"
    written = _library("ggml-base").ggml_quantize_chunk(
        TYPES[type_name],
        values.ctypes.data,
        stored.ctypes.data,
        0,
        rows,
        columns,
        None if weights is None else weights.ctypes.data,
    )
    assert written == stored.nbytes, f"{written} bytes written for {stored.nbytes}"
    return stored


def quantize_by_processor(type_name: str, values: Array, out: Array) -> None:
    """Into uint8 `[rows, bytes]` by the function that ggml's inference uses: vector instructions for q8_0."""
    traits = _processor_traits(type_name)
    for row, stored in zip(values, out, strict=True):
        traits.from_float(row.ctypes.data, stored.ctypes.data, row.size)


def dequantize(type_name: str, stored: Array, columns: int) -> Array:
    """uint8 `[rows, bytes]` to float32 `[rows, columns]`, by ggml's `to_float`."""
    stored = np.ascontiguousarray(stored, dtype=np.uint8)
    assert stored.shape[1] == row_bytes(type_name, columns), f"rows of {columns} numbers"
    values = np.empty((stored.shape[0], columns), dtype=np.float32)
    _traits(type_name).to_float(stored.ctypes.data, values.ctypes.data, values.size)
    return values


@lru_cache
def _traits(type_name: str) -> Any:
    library = _library("ggml-base")
    traits = library.ggml_get_type_traits(_NUMBERS[type_name]).contents
    assert traits.type_name.decode().lower() == type_name, "another order of types than of ggml 0.13"
    assert traits.to_float, type_name
    if type_name in TYPES:
        library.ggml_quantize_init(TYPES[type_name])
    return traits


@lru_cache
def _processor_traits(type_name: str) -> Any:
    library = _library("ggml-cpu")
    library.ggml_cpu_init()
    return library.ggml_get_type_traits_cpu(TYPES[type_name]).contents


@lru_cache
def _library(name: str) -> ctypes.CDLL:
    library = ctypes.CDLL(str(_path(name)))
    if name == "ggml-base":
        _declare(library.ggml_quantize_init, None, ctypes.c_int)
        sizes = (ctypes.c_int64,) * 3
        places = (ctypes.c_void_p, ctypes.c_void_p)
        _declare(library.ggml_quantize_chunk, ctypes.c_size_t, ctypes.c_int, *places, *sizes, ctypes.c_void_p)
        _declare(library.ggml_get_type_traits, ctypes.POINTER(_Traits), ctypes.c_int)
    else:
        _declare(library.ggml_get_type_traits_cpu, ctypes.POINTER(_ProcessorTraits), ctypes.c_int)
    return library


def _declare(function: Any, result: Any, *arguments: Any) -> None:
    function.restype, function.argtypes = result, arguments


def _path(name: str) -> Path:
    """The library by what the wheel says that it holds; wheels repaired for Linux keep it under a name with a hash."""
    package = distribution("pywhispercpp")
    found = [file for file in package.files or () if file.name.startswith((f"lib{name}.", f"lib{name}-"))]
    assert found, f"no lib{name} in pywhispercpp {package.version}"
    hashed = [file for file in found if file.name.startswith(f"lib{name}-")]
    return Path(str(package.locate_file((hashed or found)[0])))
