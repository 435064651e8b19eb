"""llama.cpp itself, through the C functions of the library that xllamacpp carries: logits, embeddings, tokens.

Its parameter structures are taken as the library fills them in and handed back whole: only the first field of the
context's (how many tokens it holds) is set.
"""

import ctypes
import importlib.util
from pathlib import Path
from typing import Self

import numpy as np

_PARAMETER_BYTES = 1024
"""More than any of the structures has."""


class _Parameters(ctypes.Structure):
    _fields_ = (("words", ctypes.c_uint32 * (_PARAMETER_BYTES // 4)),)


class _Batch(ctypes.Structure):
    _fields_ = (
        ("n_tokens", ctypes.c_int32),
        ("token", ctypes.c_void_p),
        ("embd", ctypes.c_void_p),
        ("pos", ctypes.c_void_p),
        ("n_seq_id", ctypes.c_void_p),
        ("seq_id", ctypes.c_void_p),
        ("logits", ctypes.c_void_p),
    )


_LOG = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)


def _library_path() -> Path:
    found = importlib.util.find_spec("xllamacpp")
    assert found is not None
    assert found.submodule_search_locations is not None
    return next(Path(found.submodule_search_locations[0]).glob("xllamacpp*.so"))


class LlamaCpp:
    """The library, loaded once; keeps what it logs."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(str(_library_path()))
        self.log: list[str] = []
        self._callback = _LOG(lambda level, text, data: self.log.append(text.decode("utf-8", "replace")))
        self.library.llama_log_set(self._callback, None)
        functions = {
            "llama_model_default_params": (_Parameters, ()),
            "llama_context_default_params": (_Parameters, ()),
            "llama_model_load_from_file": (ctypes.c_void_p, (ctypes.c_char_p, _Parameters)),
            "llama_init_from_model": (ctypes.c_void_p, (ctypes.c_void_p, _Parameters)),
            "llama_model_get_vocab": (ctypes.c_void_p, (ctypes.c_void_p,)),
            "llama_vocab_n_tokens": (ctypes.c_int32, (ctypes.c_void_p,)),
            "llama_model_n_embd": (ctypes.c_int32, (ctypes.c_void_p,)),
            "llama_batch_init": (_Batch, (ctypes.c_int32, ctypes.c_int32, ctypes.c_int32)),
            "llama_batch_free": (None, (_Batch,)),
            "llama_decode": (ctypes.c_int32, (ctypes.c_void_p, _Batch)),
            "llama_encode": (ctypes.c_int32, (ctypes.c_void_p, _Batch)),
            "llama_get_logits": (ctypes.POINTER(ctypes.c_float), (ctypes.c_void_p,)),
            "llama_get_embeddings_seq": (ctypes.POINTER(ctypes.c_float), (ctypes.c_void_p, ctypes.c_int32)),
            "llama_get_embeddings": (ctypes.POINTER(ctypes.c_float), (ctypes.c_void_p,)),
            "llama_set_embeddings": (None, (ctypes.c_void_p, ctypes.c_bool)),
            "llama_set_n_threads": (None, (ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32)),
            "llama_free": (None, (ctypes.c_void_p,)),
            "llama_model_free": (None, (ctypes.c_void_p,)),
            "llama_tokenize": (
                ctypes.c_int32,
                (
                    ctypes.c_void_p,
                    ctypes.c_char_p,
                    ctypes.c_int32,
                    ctypes.c_void_p,
                    ctypes.c_int32,
                    ctypes.c_bool,
                    ctypes.c_bool,
                ),
            ),
        }
        for name, (result, arguments) in functions.items():
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments
        self.library.llama_backend_init()

    def open(self, path: Path) -> "LlamaModel":
        """A model loaded from a file; what llama.cpp said if it refuses it."""
        self.log.clear()
        model = self.library.llama_model_load_from_file(str(path).encode(), self.library.llama_model_default_params())
        assert model, "".join(self.log)
        return LlamaModel(self, model)


class LlamaModel:
    """One loaded model; a context manager."""

    def __init__(self, cpp: LlamaCpp, model: int) -> None:
        self._cpp, self._library, self._model = cpp, cpp.library, model
        self._vocabulary = self._library.llama_model_get_vocab(model)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.llama_model_free(self._model)

    def tokens(self, text: str, *, special: bool = True, parse_special: bool = False) -> list[int]:
        """The tokens of a text."""
        data = text.encode("utf-8")
        room = len(data) + 16
        found = (ctypes.c_int32 * room)()
        count = self._library.llama_tokenize(
            self._vocabulary, data, len(data), ctypes.cast(found, ctypes.c_void_p), room, special, parse_special
        )
        assert count >= 0
        return list(found[:count])

    def logits(self, tokens: list[int]) -> np.ndarray:
        """The logits after every token, float32 `[tokens, vocabulary]`."""
        with _Context(self._cpp, self._model) as context:
            context.run(tokens)
            size = self._library.llama_vocab_n_tokens(self._vocabulary)
            return context.floats(self._library.llama_get_logits(context.pointer), len(tokens) * size).reshape(-1, size)

    def embedding(self, tokens: list[int]) -> np.ndarray:
        """The embedding of a whole text, as the model's pooling makes it."""
        with _Context(self._cpp, self._model) as context:
            self._library.llama_set_embeddings(context.pointer, True)
            context.run(tokens)
            found = self._library.llama_get_embeddings_seq(context.pointer, 0)
            return context.floats(found, self._library.llama_model_n_embd(self._model))

    def token_embeddings(self, tokens: list[int]) -> np.ndarray:
        """What a model without pooling makes of every token, `[tokens, dimensions]`."""
        with _Context(self._cpp, self._model) as context:
            self._library.llama_set_embeddings(context.pointer, True)
            context.run(tokens)
            size = self._library.llama_model_n_embd(self._model)
            found = self._library.llama_get_embeddings(context.pointer)
            return context.floats(found, len(tokens) * size).reshape(-1, size)


class _Context:
    def __init__(self, cpp: LlamaCpp, model: int) -> None:
        self._cpp, self._library = cpp, cpp.library
        parameters = self._library.llama_context_default_params()
        parameters.words[0] = 512  # n_ctx
        cpp.log.clear()
        self.pointer = self._library.llama_init_from_model(model, parameters)
        assert self.pointer, "".join(cpp.log)
        self._library.llama_set_n_threads(self.pointer, 1, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.llama_free(self.pointer)

    def run(self, tokens: list[int]) -> None:
        count = len(tokens)
        batch = self._library.llama_batch_init(count, 0, 1)
        numbers = ctypes.POINTER(ctypes.c_int32)
        sequences = ctypes.cast(batch.seq_id, ctypes.POINTER(numbers))
        outputs = ctypes.cast(batch.logits, ctypes.POINTER(ctypes.c_int8))
        for index, token in enumerate(tokens):
            ctypes.cast(batch.token, numbers)[index] = token
            ctypes.cast(batch.pos, numbers)[index] = index
            ctypes.cast(batch.n_seq_id, numbers)[index] = 1
            sequences[index][0] = 0
            outputs[index] = 1
        batch.n_tokens = count
        status = self._library.llama_decode(self.pointer, batch)
        self._library.llama_batch_free(batch)
        assert status == 0, "".join(self._cpp.log)

    @staticmethod
    def floats(pointer: "ctypes._Pointer[ctypes.c_float]", count: int) -> np.ndarray:
        return np.ctypeslib.as_array(pointer, (count,)).copy()
