"""What every reader of a container answers: the checked list of tensors and where their bytes lie."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.storage_types import StorageType
from app.weightfiles.strict_json import shown

MAX_TENSORS = 100_000
MAX_RANK = 8
MAX_DIMENSION = 1 << 48
MAX_NAME_BYTES = 1024
MAX_ELEMENTS = 1 << 63

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor. `begin` and `end` are offsets into the part of the source that holds it.

    Rows lie one after the other (the last index runs fastest) unless there are `strides`.
    """

    name: str
    type: StorageType
    shape: tuple[int, ...]
    """Of the elements themselves, outermost first, also where the container counts words or blocks."""
    begin: int
    end: int
    part: int = 0
    """Which of the source's parts (shards, members) holds it."""
    strides: tuple[int, ...] | None = None
    """In elements, one for each dimension, from `begin` on; only where the tensor is not one plain run."""
    is_big_endian: bool = False

    @property
    def bytes(self) -> int:
        """What its elements take one after the other, which is what they occupy unless there are strides."""
        return self.end - self.begin if self.strides is None else self.type.bits_of(self.elements) // 8

    @property
    def elements(self) -> int:
        return element_count(self.shape)


@dataclass(frozen=True, slots=True)
class ExtraPart:
    """A part beside the file itself: bytes that had to be decoded, or another file that must have come with it."""

    name: str
    content: bytes | None = None
    """The decoded bytes."""
    ranges: ByteRanges | None = None
    """Bytes that are decoded as they are read. Without either it is another file, of exactly that name."""
    needed_bytes: int = 0
    """How long that other file must be at least."""


@dataclass(frozen=True, slots=True)
class FileHeader:
    """A checked header: every entry lies inside its part."""

    kind: str
    """`safetensors`, `pytorch`, `gguf`, `npy`, `npz`, `onnx`: the container, found by its content."""
    tensors: tuple[TensorEntry, ...]
    """In the order of their bytes."""
    metadata: Mapping[str, Any]
    """What the file says about itself, as JSON has it; text of a stranger: to be shown escaped, never to be run."""
    file_bytes: int
    """Of all parts together."""
    details: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """What only the container's own writer needs, by names of its own."""
    extra_parts: tuple[ExtraPart, ...] = ()
    """In a container's answer, parts 1, 2 and so on of its entries; opened by whoever knows what came with the file."""


def element_count(shape: tuple[int, ...]) -> int:
    """How many elements a shape has; 1 for rank 0."""
    elements = 1
    for dimension in shape:
        elements *= dimension
    return elements


def check_name(name: str) -> None:
    """Refuses a tensor's name that no program could handle.

    Raises:
        WeightFileError: `tensor.name-too-long`, `tensor.name-control`.
    """
    if len(name.encode("utf-8", "surrogatepass")) > MAX_NAME_BYTES:
        raise WeightFileError("tensor.name-too-long", tensor=shown(name, 40), limit=MAX_NAME_BYTES)
    if has_control(name):
        raise WeightFileError("tensor.name-control", tensor=shown(name))


def has_control(text: str) -> bool:
    """Whether a text holds one of the controls C0 or C1, or DEL."""
    return _CONTROL.search(text) is not None


def check_shape(shape: tuple[int, ...], tensor: str) -> None:
    """Refuses a shape beyond every limit; `tensor` is its name.

    Zeros do not count in the product: no reader may overflow on the way to a product of zero.

    Raises:
        WeightFileError: `tensor.rank`, `tensor.dimension`, `tensor.overflow`.
    """
    if len(shape) > MAX_RANK:
        raise WeightFileError("tensor.rank", tensor=shown(tensor), rank=len(shape), limit=MAX_RANK)
    reach = 1
    for dimension in shape:
        if not 0 <= dimension < MAX_DIMENSION:
            raise WeightFileError("tensor.dimension", tensor=shown(tensor), dimension=dimension)
        reach *= dimension or 1
        if reach >= MAX_ELEMENTS:
            raise WeightFileError("tensor.overflow", tensor=shown(tensor))
