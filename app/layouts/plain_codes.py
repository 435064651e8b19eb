"""Codes that are stored as elements of their own."""

from dataclasses import dataclass

from torch import Tensor

from app.layouts.rectangles import read_rectangle
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader


@dataclass(frozen=True, slots=True)
class PlainCodes:
    """The elements of a stored tensor, in their own dtype."""

    entry: TensorEntry
    width: int
    """Elements of a row."""

    def part(self, reader: TensorReader, part: Piece) -> Tensor:
        """See `PartOfMatrix`."""
        return read_rectangle(reader, self.entry, self.width, part)
