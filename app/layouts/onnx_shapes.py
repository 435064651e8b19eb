"""Codes and scales of a scheme as ONNX has them: their types and shapes, and which matrices have room for them."""

from app.layouts.scheme_coder import fits_memory
from app.layouts.writing import Obstacle
from app.schemes.affine import AffineScheme
from app.schemes.grid_scheme import GridScheme
from app.schemes.partitions import Granularity
from app.schemes.selection import Kept
from app.weightfiles.onnx_messages import TYPE_NUMBERS
from app.weightfiles.onnx_types import ONNX_TYPES
from app.weightfiles.storage_types import StorageType

MOST_TURNED_COLUMNS = 1 << 18
"""Of a matrix that is coded turned: a band of four rows and all that is made of it fit into memory."""


def bits_of(scheme: GridScheme | AffineScheme) -> int:
    """Of a code."""
    return scheme.grid.bits if isinstance(scheme, GridScheme) else scheme.pairs.bits


def codes_format(scheme: GridScheme | AffineScheme) -> str:
    """The name of the codes' format."""
    if isinstance(scheme, AffineScheme):
        return f"uint{scheme.pairs.bits}"
    return "float8_e4m3fn" if scheme.name == "fp8" else scheme.name


def onnx_type(number_format: str) -> StorageType:
    """The element type of that format."""
    return ONNX_TYPES[TYPE_NUMBERS[number_format]]


def scale_shape(shape: tuple[int, ...], scheme: GridScheme | AffineScheme, axis: int) -> tuple[int, ...]:
    """Of the scales of a weight of that shape, as DequantizeLinear takes them."""
    match scheme.partition.granularity:
        case Granularity.TENSOR:
            return ()
        case Granularity.CHANNEL:
            return (shape[axis],)
        case _:
            return (*shape[:axis], shape[axis] // scheme.partition.columns, *shape[axis + 1 :])


def obstacle_of(scheme: GridScheme | AffineScheme, matrix: tuple[int, int], *, is_turned: bool) -> Obstacle | None:
    """Why a matrix cannot be coded so."""
    rows, columns = matrix
    in_a_byte = 8 // bits_of(scheme)
    size = scheme.partition.columns if scheme.partition.granularity is Granularity.GROUP else 1
    if columns % size:
        return Obstacle(Kept.ROW_LENGTH, {"columns": columns, "size": size})
    whole = rows if is_turned else columns
    if whole % in_a_byte:
        return Obstacle(Kept.ROW_LENGTH, {"columns": whole, "size": in_a_byte})
    is_long = columns > MOST_TURNED_COLUMNS if is_turned else not fits_memory(scheme, columns)
    return Obstacle(Kept.LONG_ROWS, {"columns": columns}) if is_long else None
