"""The error of one weight: its original numbers against those that the compressed file stands for."""

from app.errors import WeightFileError
from app.layouts.weights import Weight, WeightReader
from app.metrics.error_sums import NO_ERROR, ErrorFigures, ErrorSums
from app.tasks.progress import Advance
from app.weightfiles.strict_json import shown


def pair_error(
    original: Weight, before: WeightReader, stored: Weight, after: WeightReader, advance: Advance
) -> ErrorFigures:
    """The figures, read back from both files; none of an error where the stored bytes are the same.

    Raises:
        WeightFileError: `compare.shape`; `compare.unreadable`, different bytes of a format that is not read.
    """
    if original.shape != stored.shape:
        raise WeightFileError("compare.shape", tensor=shown(original.name))
    if is_kept(original, stored) and _same_bytes(original, before, stored, after):
        return NO_ERROR
    if not (original.is_readable and stored.is_readable):
        raise WeightFileError("compare.unreadable", tensor=shown(original.name))
    sums = ErrorSums()
    step = min(before.chunk_elements(original), after.chunk_elements(stored)) or 1
    per_element = original.bytes / max(original.elements, 1)
    for first in range(0, original.elements, step):
        count = min(step, original.elements - first)
        values = before.elements(original, first, count)
        sums.add(values.contiguous(), after.elements(stored, first, count).contiguous())
        advance(int((first + count) * per_element) - int(first * per_element))
    return sums.figures()


def is_kept(original: Weight, stored: Weight) -> bool:
    """Whether both are stored in the same way: then the same numbers are the same bytes."""
    if (original.encoding is None) != (stored.encoding is None) or original.stored_as != stored.stored_as:
        return False
    parts = zip(original.parts, stored.parts, strict=False)
    return len(original.parts) == len(stored.parts) and all(
        (mine.type, mine.shape, mine.strides, mine.is_big_endian)
        == (other.type, other.shape, other.strides, other.is_big_endian)
        for mine, other in parts
    )


def _same_bytes(original: Weight, before: WeightReader, stored: Weight, after: WeightReader) -> bool:
    step = min(before.tensors.chunk_bytes, after.tensors.chunk_bytes)
    for mine, other in zip(original.parts, stored.parts, strict=True):
        if mine.bytes != other.bytes:
            return False
        for first in range(0, mine.bytes, step or 1):
            count = min(step, mine.bytes - first)
            if before.tensors.bytes(mine, first, count) != after.tensors.bytes(other, first, count):
                return False
    return True
