"""Where every byte of a file that is to be written will lie, whatever its container."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.weightfiles.file_header import element_count
from app.weightfiles.storage_types import BY_FORMAT, StorageType


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor to be written: its name, the type of its elements or blocks, and its shape."""

    name: str
    type: StorageType
    shape: tuple[int, ...]
    """Of the elements, outermost first, also where the container counts words or blocks, or the other way round."""

    @classmethod
    def of(cls, name: str, number_format: str, shape: tuple[int, ...]) -> "StoredTensor":
        """A tensor of plain elements, by the name of their format."""
        return cls(name, BY_FORMAT[number_format], shape)

    @property
    def format(self) -> str:
        """The name of the elements' format, or of the blocks' scheme."""
        return self.type.format

    @property
    def bytes(self) -> int:
        """What it takes in the file."""
        return (self.type.bits_of(element_count(self.shape)) + 7) // 8


@dataclass(frozen=True, slots=True)
class FileLayout:
    """The first bytes of the file, where each tensor begins, and the file's length.

    The length is reserved before anything is written, so what lies between tensors is zeros but for `inner`.
    """

    head: bytes
    begins: Mapping[str, int]
    """Offsets in the file, by the tensors' names."""
    file_bytes: int
    inner: tuple[tuple[int, bytes], ...] = ()
    """Offsets and bytes of what stands between tensors, in containers where each has a header of its own."""
