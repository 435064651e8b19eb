"""What can be asked for: one entry for each scheme, with the options that it takes and how to build it."""

from collections.abc import Callable
from dataclasses import dataclass

from app.schemes.scheme import Scheme


@dataclass(frozen=True, slots=True)
class SchemeOptions:
    """What a person chose; None where the scheme's own default holds."""

    granularity: str | None = None
    """As `app.schemes.partitions.parse_partition` reads it."""
    symmetric: bool | None = None
    scale_format: str | None = None
    """`float32`, `float16` or `bfloat16`."""
    zero_point: str | None = None
    """`integer` or `float`."""
    double_quant: bool = False
    mx_scale: str | None = None
    """`floor`, `ceil`, `rceil`, `even` or `mse`."""


@dataclass(frozen=True, slots=True)
class SchemeEntry:
    """One scheme of the table."""

    name: str
    family: str
    """`integer`, `float`, `microscaling`, `codebook`, `gguf` or `cast`; pages group by it."""
    element: str
    """The format of a code where `app.formats` has it (cells link to it), else empty."""
    layout: str
    """Whose layout the bytes are in: a name of design's list of layouts."""
    options: frozenset[str]
    """The fields of `SchemeOptions` and of `Choices` that it takes."""
    build: Callable[[SchemeOptions], Scheme]
    granularities: tuple[str, ...] = ()
    """Examples of what it takes, the default first; empty where the layout fixes it."""
