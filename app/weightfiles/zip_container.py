"""Zip archives that are one file of weights: what their members are decides which reader they go to."""

from app.errors import WeightFileError
from app.weightfiles import npz_header, pytorch_header
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.file_header import FileHeader
from app.weightfiles.zip_archive import read_archive
from app.weightfiles.zip_end import END_SIGNATURE, LOCAL_SIGNATURE


def looks_like_zip(start: bytes) -> bool:
    """Whether a file begins as an archive, or is an empty one."""
    return start.startswith((LOCAL_SIGNATURE, END_SIGNATURE))


def read_header(ranges: ByteRanges) -> FileHeader:
    """The header of a PyTorch checkpoint or of an .npz file.

    Raises:
        WeightFileError: `file.zip` for any other archive, or what the reader refuses.
    """
    archive = read_archive(ranges)
    if pytorch_header.is_checkpoint(archive):
        return pytorch_header.header_of(archive)
    if npz_header.is_npz(archive):
        return npz_header.header_of(archive)
    raise WeightFileError("file.zip")
