"""What torch, NumPy and ml_dtypes say of a format in `finfo` and `iinfo`, beside the exact figures.

Nothing is corrected here. A figure agrees when it is the exact one; `resolution`, a power of ten that no binary format
holds, when it is the nearest number that the library's own type has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np
import torch

from app.exact import encode, from_fraction
from app.exact.text import exact_text
from app.formats import FloatFormat, Format, IntegerFormat
from app.tasks.describe_format import describe_format
from app.tasks.format_figures import figures_of

FLOAT_NAMES = ("bits", "max", "min", "eps", "epsneg", "smallest_normal", "tiny", "smallest_subnormal", "resolution")
INTEGER_NAMES = ("bits", "max", "min")
X87_MANTISSA_BITS = 63
PACKED_IN_TORCH = {"float4_e2m1fn": "float4_e2m1fn_x2"}
"""Dtypes that hold two numbers in a byte: torch has no figures and no cast for them."""
NO_FIGURES = (TypeError, ValueError, RuntimeError, SystemError)
"""What the libraries raise for a dtype that they have no figures of."""


@dataclass(frozen=True, slots=True)
class LibraryFigure:
    """One attribute; `exact` is None where the format has no such number."""

    name: str
    given: str
    exact: str | None
    agrees: bool


@dataclass(frozen=True, slots=True)
class LibraryFigures:
    """A library's dtype of this format, and what it says of it; no figures: it has the dtype, and says nothing."""

    dtype: str
    call: str
    """`torch.finfo(torch.float16)`."""
    figures: tuple[LibraryFigure, ...]

    @property
    def agrees(self) -> bool:
        return all(figure.agrees for figure in self.figures)


@lru_cache(maxsize=128)
def library_figures(number_format: Format) -> tuple[LibraryFigures, ...]:
    """Of each library that has the format under its own name."""
    if not isinstance(number_format, FloatFormat | IntegerFormat) or ":" in number_format.name:
        return ()
    return tuple(_libraries(number_format))


def torch_dtype_name(number_format: Format) -> str | None:
    """`torch.bfloat16`; None where torch has no dtype for the format."""
    name = PACKED_IN_TORCH.get(number_format.name, number_format.name)
    return f"torch.{name}" if isinstance(getattr(torch, name, None), torch.dtype) else None


def _libraries(number_format: FloatFormat | IntegerFormat) -> Iterator[LibraryFigures]:
    name, info = number_format.name, "finfo" if isinstance(number_format, FloatFormat) else "iinfo"
    own = torch_dtype_name(number_format)
    if own is not None:
        dtype = getattr(torch, own.removeprefix("torch."))
        yield _figures(number_format, own, f"torch.{info}({own})", getattr(torch, info), dtype)
    if hasattr(ml_dtypes, name):
        words = f"ml_dtypes.{name}"
        yield _figures(number_format, words, f"ml_dtypes.{info}({words})", getattr(ml_dtypes, info), words)
    elif name in NUMPY_NAMES:
        words = f"numpy.{name}"
        yield _figures(number_format, words, f"numpy.{info}({words})", getattr(np, info), words)
    elif name == "float80" and np.finfo(np.longdouble).nmant == X87_MANTISSA_BITS:
        words = "numpy.longdouble"
        yield _figures(number_format, words, f"numpy.finfo({words})", np.finfo, words)


NUMPY_NAMES = frozenset(
    {"float16", "float32", "float64", *(f"{sign}int{width}" for sign in ("", "u") for width in (8, 16, 32, 64))}
)
"""Not `float128`: where numpy has that name, it is x87's 80 bits."""


def _figures(number_format: FloatFormat | IntegerFormat, words: str, call: str, ask: Any, dtype: Any) -> LibraryFigures:
    if isinstance(dtype, str):
        module, _, name = dtype.partition(".")
        dtype = getattr(ml_dtypes if module == "ml_dtypes" else np, name)
    names = FLOAT_NAMES if isinstance(number_format, FloatFormat) else INTEGER_NAMES
    try:
        answer = ask(dtype)
        given = {name: getattr(answer, name) for name in names if hasattr(answer, name)}
    except NO_FIGURES:
        return LibraryFigures(words, call, ())
    exact = _exact(number_format)
    return LibraryFigures(
        words, call, tuple(_figure(number_format, name, figure, exact[name]) for name, figure in given.items())
    )


def _exact(number_format: FloatFormat | IntegerFormat) -> dict[str, Fraction | None]:
    card, figures = describe_format(number_format), figures_of(number_format)
    return {
        "bits": Fraction(card.storage_bits if number_format.name == "float80" else number_format.width),
        "max": figures.max,
        "min": figures.min,
        "eps": figures.eps,
        "epsneg": figures.eps_below,
        "smallest_normal": figures.min_normal,
        "tiny": figures.min_normal,
        "smallest_subnormal": figures.min_subnormal,
        "resolution": Fraction(1, 10 ** (card.decimal_digits or 0)),
    }


def _figure(number_format: Format, name: str, given: Any, exact: Fraction | None) -> LibraryFigure:
    numerator, denominator = (int(given), 1) if name == "bits" else _ratio(given)
    value = Fraction(numerator, denominator)
    agrees = value == exact
    if name == "resolution" and exact is not None and not agrees:
        agrees = value == _nearest(exact, number_format) or float(value) == float(exact)
    return LibraryFigure(name, exact_text(value), None if exact is None else exact_text(exact), agrees)


def _ratio(given: Any) -> tuple[int, int]:
    """Of a Python number or NumPy scalar; narrow ones go through float, which holds all of them."""
    if isinstance(given, int) or not hasattr(given, "as_integer_ratio"):
        given = int(given) if isinstance(given, int | np.integer) else float(given)
    numerator, denominator = given.as_integer_ratio()
    return int(numerator), int(denominator)


def _nearest(value: Fraction, number_format: Format) -> Fraction | None:
    return number_format.value_of(encode(from_fraction(value), number_format).code)
