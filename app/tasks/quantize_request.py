"""What is asked of a quantization of few numbers: where the matrix comes from, and up to four schemes with options."""

from dataclasses import dataclass
from enum import StrEnum

from torch import Tensor

from app.schemes.entries import SchemeOptions
from app.schemes.scheme import ScaleRule

MOST_VALUES = 65_536
MOST_SCHEMES = 4
MOST_TEXT = 1 << 20
"""Characters of a typed matrix."""
COURSE_MATRIX = "0.52 -1.31 0.08\n2.54 -0.77 0.19\n-1.9 0.03 0.66"
"""Nine weights: 36 bytes in float32, 9 in int8, and 4 of a scale."""


class Distribution(StrEnum):
    """What a generated matrix is drawn from; each has mean 0 and, but for its outliers, variance 1."""

    NORMAL = "normal"
    LAPLACE = "laplace"
    STUDENT_T5 = "student_t5"
    UNIFORM = "uniform"
    OUTLIERS = "outliers"
    """Normal, with one number of each 64 ten times as large."""


@dataclass(frozen=True, slots=True)
class TypedMatrix:
    """A matrix as text: rows at line ends or `;`, numbers at spaces or commas; brackets as in JSON are read too."""

    text: str = COURSE_MATRIX


@dataclass(frozen=True, slots=True)
class CellMatrix:
    """A matrix whose numbers stand apart already, each as text."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class DrawnMatrix:
    """A generated matrix: the same on every machine."""

    distribution: Distribution = Distribution.NORMAL
    rows: int = 16
    columns: int = 64
    seed: int = 1


@dataclass(frozen=True, slots=True)
class TensorMatrix:
    """A matrix that was read from a file."""

    values: Tensor
    """float32 `[rows, columns]`."""


MatrixSource = TypedMatrix | CellMatrix | DrawnMatrix | TensorMatrix


_DEFAULTS = SchemeOptions()


@dataclass(frozen=True, slots=True)
class SchemeChoice:
    """One scheme with its options; None where its own default holds."""

    name: str
    options: SchemeOptions = _DEFAULTS
    scale: ScaleRule | None = None
    percentile: float | None = None
    """Of 100."""
    signed_scales: bool = False
    seed: int | None = None
    """Of stochastic rounding; None: to the nearest level."""
    rotation: int | None = None
    """The seed of a random Hadamard rotation of the rows before, undone after; None: no rotation."""


@dataclass(frozen=True, slots=True)
class QuantizeRequest:
    """A matrix and the schemes to try on it."""

    source: MatrixSource = TypedMatrix()
    schemes: tuple[SchemeChoice, ...] = (SchemeChoice("int8", SchemeOptions(granularity="tensor")),)
    importance: tuple[float, ...] | None = None
    """A weight for each column's squared errors, for schemes that search with it."""
