"""The containers that are read: how each is known by its first bytes, and its reader."""

from collections.abc import Callable
from dataclasses import dataclass

from app.weightfiles import bare_pickles, gguf_header, npy_header, onnx_header, safetensors_header, zip_container
from app.weightfiles.byte_ranges import ByteRanges, read_start
from app.weightfiles.content_kind import SNIFFED_BYTES, looks_like_safetensors, refuse_other_kinds
from app.weightfiles.file_header import FileHeader


@dataclass(frozen=True, slots=True)
class Container:
    """One kind of file that holds all its tensors itself."""

    kind: str
    is_it: Callable[[bytes], bool]
    """Whether a file that begins with these bytes is to be read as one; the reader refuses it if it is broken."""
    read_header: Callable[[ByteRanges], FileHeader]


CONTAINERS: tuple[Container, ...] = (
    Container("safetensors", looks_like_safetensors, safetensors_header.read_header),
    Container("gguf", gguf_header.looks_like_gguf, gguf_header.read_header),
    Container("onnx", onnx_header.looks_like_onnx, onnx_header.read_header),
    Container("zip", zip_container.looks_like_zip, zip_container.read_header),
    Container("npy", npy_header.looks_like_npy, npy_header.read_header),
    Container("pickle", bare_pickles.looks_like_pickle, bare_pickles.read_header),
)


def read_any_header(ranges: ByteRanges) -> FileHeader:
    """The checked header of a file, whatever it is called: its kind is decided by its content.

    Raises:
        WeightFileError: `file.*` for a kind that is not read, or what its container's reader refuses.
    """
    start = read_start(ranges, SNIFFED_BYTES)
    for container in CONTAINERS:
        if container.is_it(start):
            return container.read_header(ranges)
    refuse_other_kinds(start)
    return safetensors_header.read_header(ranges)
