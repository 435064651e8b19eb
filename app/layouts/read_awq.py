"""AWQ as its GEMM kernels read it: 4-bit codes of the turned matrix, eight neighbours interleaved in a word."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.codec import torch_dtype
from app.formats import find_format
from app.layouts.bit_streams import as_bytes
from app.layouts.checked_parts import FLOATS, MOST_COLUMNS, check_shape, check_type, number, odd_shape
from app.layouts.plain_codes import PlainCodes
from app.layouts.rectangles import MatrixDecoder, read_rectangle
from app.layouts.scale_grids import block_of, turned_grid
from app.layouts.scaled_codes import ScaledCodes
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Encoding, Weight
from app.schemes.matrix_blocks import Piece
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.tensor_reader import TensorReader

LAYOUT = "awq"
_WORD = 8
_NIBBLE_OF = (0, 4, 1, 5, 2, 6, 3, 7)
"""For each of eight neighbours the nibble of the word that holds it, from the lowest on."""


def recognise(stored: StoredTensors) -> Sequence[Weight]:
    """Weights `NAME.weight` of `NAME.qweight`, `NAME.qzeros` and `NAME.scales` with codes packed along the output."""
    return list(_recognised(stored))


def _recognised(stored: StoredTensors) -> Iterator[Weight]:
    for entry in stored.entries.values():
        if not entry.name.endswith("qweight"):
            continue
        prefix = entry.name.removesuffix("qweight")
        zeros, scales = stored.entries.get(f"{prefix}qzeros"), stored.entries.get(f"{prefix}scales")
        if zeros is None or scales is None:
            continue
        if len(entry.shape) == len(scales.shape) == 2 and entry.shape[1] * _WORD == scales.shape[1]:
            yield _weight(stored, f"{prefix}weight", entry, zeros, scales)


def _weight(stored: StoredTensors, name: str, codes: TensorEntry, zeros: TensorEntry, scales: TensorEntry) -> Weight:
    check_type(name, codes, {"int32"})
    check_type(name, zeros, {"int32"})
    check_type(name, scales, FLOATS)
    columns, words = codes.shape
    rows, groups = words * _WORD, scales.shape[0]
    check_shape(name, zeros, (groups, words))
    group = block_of(columns, groups, (number(stored.quantization_config, "group_size") or 0, 128, 64, 32))
    if group is None or not 0 < columns <= MOST_COLUMNS:
        raise odd_shape(name, scales)
    dtype = scales.type.format
    numbers = ScaledCodes(
        _TurnedCodes(codes, words).turned,
        turned_grid(PlainCodes(scales, rows).part, rows, groups, (1, group)),
        torch_dtype(find_format(dtype)),
        turned_grid(_TurnedCodes(zeros, words).part, rows, groups, (1, group)),
    )
    text = "int4:" + ("channel" if groups == 1 else f"group={group}") + ":asymmetric"
    decoder = MatrixDecoder(columns, numbers.dtype, numbers, is_turned=True)
    return Weight(name, (rows, columns), dtype, (codes, scales, zeros), Encoding(LAYOUT, text, decoder))


@dataclass(frozen=True, slots=True)
class _TurnedCodes:
    entry: TensorEntry
    words: int

    def part(self, reader: TensorReader, piece: Piece) -> Tensor:
        """uint8 codes of the stored, turned matrix."""
        first, end = piece.column // _WORD, -(-piece.column_end // _WORD)
        words = read_rectangle(reader, self.entry, self.words, Piece(piece.row, piece.row_end, first, end))
        stream = as_bytes(words).view(piece.rows, end - first, _WORD // 2)
        codes = torch.empty(piece.rows, end - first, _WORD, dtype=torch.uint8)
        for place, nibble in enumerate(_NIBBLE_OF):
            byte, is_high = divmod(nibble, 2)
            torch.bitwise_and(stream[:, :, byte] >> 4 * is_high, 15, out=codes[:, :, place])
        skipped = piece.column - first * _WORD
        return codes.view(piece.rows, -1)[:, skipped : skipped + piece.columns]

    def turned(self, reader: TensorReader, piece: Piece) -> Tensor:
        """uint8 codes of the matrix."""
        there = Piece(piece.column, piece.column_end, piece.row, piece.row_end)
        return self.part(reader, there).t()
