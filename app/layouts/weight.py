"""A weight as a model knows it: one name and shape, however many stored tensors stand for it."""

from dataclasses import dataclass
from math import prod
from typing import Protocol

from torch import Tensor

from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader


class Decoder(Protocol):
    """Reads the numbers of one weight out of stored tensors."""

    @property
    def unit(self) -> int:
        """The smallest run of elements, in row-major order, that is decoded without reading more than that."""
        ...

    def decode(self, reader: TensorReader, first: int, count: int) -> Tensor:
        """`count` elements from element `first` on, flat, in the dtype that the layout's owner computes in.

        Any run is decoded; whole units cost least.
        """
        ...


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a weight is stored that is not plain."""

    layout: str
    """`compressed-tensors`, `bitsandbytes`, `gptq`, `awq`, `torchao`, `mlx`, `gguf`, `onnx`."""
    scheme: str
    """In the words of `app.tasks.scheme_words` as far as they go: `int4:group=128`, `nf4:block=64:double-quant`."""
    decoder: Decoder


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight. A plain one is a stored tensor of the same name and needs no decoder."""

    name: str
    shape: tuple[int, ...]
    format: str
    """Of its numbers once they are read, a name of the format table (`bfloat16`); what a plain one is stored in."""
    parts: tuple[TensorEntry, ...]
    """The stored tensors, the one with the codes first."""
    encoding: Encoding | None = None
    is_readable: bool = True
    """Whether it can be read as numbers; others are only copied."""

    @property
    def bytes(self) -> int:
        """What it takes in the source, scales and all."""
        return sum(part.bytes for part in self.parts)

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def stored_as(self) -> str:
        """In a few words that need no translation."""
        return self.format if self.encoding is None else f"{self.encoding.layout} {self.encoding.scheme}"
