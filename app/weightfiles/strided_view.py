"""Where the elements of a tensor with strides lie, checked against the elements that are really there."""

from dataclasses import dataclass

from app.errors import WeightFileError
from app.weightfiles.file_header import MAX_DIMENSION, TensorEntry, element_count
from app.weightfiles.strict_json import shown

MAX_SHARING = 8
"""The tensors of a file may hold this many times the file's bytes, where they share them; those that are equal in
everything count once."""
FREE_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a tensor begins and ends, in elements of its storage, and its strides unless it is one plain run."""

    begin: int
    end: int
    strides: tuple[int, ...] | None


def reach_of(name: str, shape: tuple[int, ...], strides: tuple[int, ...], begin: int, available: int) -> Reach:
    """The reach of a tensor from element `begin` on, among `available` elements; the shape is checked already.

    Raises:
        WeightFileError: `tensor.strides`, `tensor.past-storage`.
    """
    if len(strides) != len(shape) or not all(0 <= stride < MAX_DIMENSION for stride in strides):
        raise WeightFileError("tensor.strides", tensor=shown(name))
    last = sum((dimension - 1) * stride for dimension, stride in zip(shape, strides, strict=True))
    is_empty = 0 in shape
    end = begin if is_empty else begin + last + 1
    if begin < 0 or end > available:
        raise WeightFileError("tensor.past-storage", tensor=shown(name), needed=end, given=available)
    return Reach(begin, end, None if is_empty or is_plain(shape, strides) else strides)


def is_plain(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    """Whether the elements lie one after the other in the order of the indices."""
    step = 1
    for dimension, stride in zip(reversed(shape), reversed(strides), strict=True):
        if dimension != 1 and stride != step:
            return False
        step *= dimension
    return True


def check_sharing(tensors: list[TensorEntry], file_bytes: int) -> None:
    """Refuses tensors that together hold far more than the file: small ones repeated without end.

    Raises:
        WeightFileError: `tensor.sharing`.
    """
    different = {(entry.begin, entry.end, entry.part, entry.shape, entry.strides, entry.type.name) for entry in tensors}
    bits = {entry.type.name: entry.type for entry in tensors}
    held = sum(bits[name].bits_of(element_count(shape)) // 8 for _, _, _, shape, _, name in different)
    limit = max(FREE_BYTES, MAX_SHARING * file_bytes)
    if held > limit:
        raise WeightFileError("tensor.sharing", bytes=held, limit=limit)
