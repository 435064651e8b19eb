"""GGUF files as ggml's own C code reads them; only for good files, since it ends the process at some bad ones."""

import ctypes
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.oracles import ggml_library


class _Parameters(ctypes.Structure):
    """`struct gguf_init_params`."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


@dataclass(frozen=True, slots=True)
class FileInC:
    """What ggml finds in the header."""

    alignment: int
    data_begin: int
    keys: tuple[str, ...]
    tensors: tuple[tuple[str, int, int, int], ...]
    """Name, number of the type, offset in the file, bytes."""


_POINTER, _INDEX, _SIZE, _TEXT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_size_t, ctypes.c_char_p
_OF_FILE = {"alignment": _SIZE, "data_offset": _SIZE, "n_kv": _INDEX, "n_tensors": _INDEX}
_OF_ITEM = {
    "key": _TEXT,
    "tensor_name": _TEXT,
    "tensor_type": ctypes.c_int,
    "tensor_offset": _SIZE,
    "tensor_size": _SIZE,
}


def read_file(path: Path) -> FileInC | None:
    """None where it is refused."""
    library = _library()
    context = library.gguf_init_from_file(os.fsencode(path), _Parameters(True, None))
    if context is None:
        return None
    try:
        begin = library.gguf_get_data_offset(context)
        keys = (library.gguf_get_key(context, index) for index in range(library.gguf_get_n_kv(context)))
        tensors = (
            (
                library.gguf_get_tensor_name(context, index).decode(),
                library.gguf_get_tensor_type(context, index),
                begin + library.gguf_get_tensor_offset(context, index),
                library.gguf_get_tensor_size(context, index),
            )
            for index in range(library.gguf_get_n_tensors(context))
        )
        names = tuple(key.decode() for key in keys)
        return FileInC(library.gguf_get_alignment(context), begin, names, tuple(tensors))
    finally:
        library.gguf_free(context)


@lru_cache
def _library() -> ctypes.CDLL:
    library = ggml_library._library("ggml-base")
    library.gguf_init_from_file.restype, library.gguf_init_from_file.argtypes = _POINTER, (_TEXT, _Parameters)
    library.gguf_free.restype, library.gguf_free.argtypes = None, (_POINTER,)
    for names, arguments in ((_OF_FILE, (_POINTER,)), (_OF_ITEM, (_POINTER, _INDEX))):
        for name, result in names.items():
            function = getattr(library, f"gguf_get_{name}")
            function.restype, function.argtypes = result, arguments
    return library
