"""The tables of the Quantize page: weights, codes, what is read back and the error, with links to Inspect."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, isqrt

import torch

from app.exact.text import exact_text
from app.formats import Format, find_format
from app.tasks.format_fields import field_bits
from app.tasks.quantize_values import Quantized, QuantizedView
from app.web.pages.addresses import inspect_address
from app.web.typography import approximately
from app.wording import Language

MOST_SHADE = 8
WINDOW_ROWS = 8
WINDOW_COLUMNS = {1: 7, 2: 7, 3: 4, 4: 3}
"""How many columns the tables of so many schemes have side by side."""
ROLES = {"sign": "sign", "exponent": "exponent", "mantissa": "mantissa"}


@dataclass(frozen=True, slots=True)
class Window:
    """The rows and columns that the tables show, counted from 0; the ends are left out."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def at(cls, cell: tuple[int, int], shape: tuple[int, int], schemes: int) -> "Window":
        """The window of a matrix that begins at a cell, or as near to it as it fits."""
        height, width = min(WINDOW_ROWS, shape[0]), min(WINDOW_COLUMNS[max(schemes, 1)], shape[1])
        top, left = min(cell[0], shape[0] - height), min(cell[1], shape[1] - width)
        return cls(top, left, top + height, left + width)

    @property
    def rows(self) -> range:
        return range(self.top, self.bottom)

    @property
    def columns(self) -> range:
        return range(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Cell:
    """One number: its figure rounded for reading, its exact text, and its page in Inspect (empty where it has none)."""

    text: str
    exact: str
    href: str
    fields: tuple[tuple[str, str], ...] = ()
    """Roles and bits of a code."""
    shade: int = 0
    """Of the error: 0, none, to `MOST_SHADE`, the largest of all."""


Cells = tuple[tuple[Cell, ...], ...]


def weight_cells(language: Language, values: torch.Tensor, window: Window, typed: list[list[str]] | None) -> Cells:
    """The matrix itself: float32, as it was typed or by its bits."""

    def cell(row: int, column: int) -> Cell:
        value = float(values[row, column])
        text = typed[row][column] if typed is not None else None
        way = {"value": text} if text is not None else {"bits": _float32_hex(value)}
        return _value_cell(value, inspect_address(language, **way, format="float32"))

    return _cells(window, cell)


def code_cells(language: Language, view: QuantizedView, quantized: Quantized, window: Window) -> Cells:
    """The codes: their bits by field, and the level that each stands for."""
    width, is_shifted = code_width(view, quantized), has_zero_points(quantized)
    number_format = find_format(f"uint{width}") if is_shifted else view.element_format

    def cell(row: int, column: int) -> Cell:
        level = float(quantized.elements.levels[row, column])
        code = int(quantized.elements.codes[row, column])
        bits = f"0x{code:0{-(-width // 4)}x}" if is_shifted else view.element_hex(row, column)
        if number_format is None or bits is None:
            return _value_cell(level, "", (("plain", f"{code:0{width}b}"),))
        href = inspect_address(language, bits=bits, format=number_format.name)
        return _value_cell(level, href, _fields(int(bits, 16), number_format))

    return _cells(window, cell)


def has_zero_points(quantized: Quantized) -> bool:
    """Whether a code stands for code - zero point: an unsigned integer, whatever the name of its element."""
    return quantized.stored.zero_points is not None and quantized.elements.offsets is None


def code_width(view: QuantizedView, quantized: Quantized) -> int:
    """Of the codes, in bits."""
    if view.element_format is not None and quantized.element_codes is not None:
        return view.element_format.width
    return max(int(quantized.elements.codes.max()).bit_length(), 1)


def _fields(code: int, number_format: Format) -> tuple[tuple[str, str], ...]:
    fields = field_bits(code, number_format)
    if not any(name in ROLES for name, _ in fields):
        return (("plain", "".join(bits for _, bits in fields)),)
    return tuple((ROLES.get(name, "plain"), bits) for name, bits in fields)


def restored_cells(language: Language, quantized: Quantized, window: Window) -> Cells:
    """What is read back, float32."""

    def cell(row: int, column: int) -> Cell:
        value = float(quantized.dequantized[row, column])
        return _value_cell(value, inspect_address(language, bits=_float32_hex(value), format="float32"))

    return _cells(window, cell)


def error_cells(
    language: Language, values: torch.Tensor, quantized: Quantized, window: Window, largest: float
) -> Cells:
    """What is read back less the weight, exact; the shade says how large it is among all errors on the page."""

    def cell(row: int, column: int) -> Cell:
        restored = float(quantized.dequantized[row, column])
        if not isfinite(restored):
            return Cell(exact_float(restored), exact_float(restored), "", shade=MOST_SHADE)
        error = Fraction(restored) - Fraction(float(values[row, column]))
        exact = exact_text(error)
        href = inspect_address(language, value=exact, format="float64")
        return Cell(approximately(exact, 3), exact, href, shade=shade_of(abs(float(error)), largest))

    return _cells(window, cell)


def shade_of(error: float, largest: float) -> int:
    """By the square root, so that the small errors of a fine scheme can be seen beside those of a coarse one."""
    if not isfinite(error):
        return MOST_SHADE
    if error == 0 or largest == 0:
        return 0
    return max(isqrt(round(min(error / largest, 1) * MOST_SHADE * MOST_SHADE)), 1)


def _cells(window: Window, cell: Callable[[int, int], Cell]) -> Cells:
    return tuple(tuple(cell(row, column) for column in window.columns) for row in window.rows)


def _value_cell(value: float, href: str, fields: tuple[tuple[str, str], ...] = ()) -> Cell:
    exact = exact_float(value)
    return Cell(approximately(exact, 3 if fields else 4), exact, href, fields)


def exact_float(value: float) -> str:
    """All digits of a float, `-0` among them; `inf`, `-inf` or `nan`."""
    if not isfinite(value):
        return str(value)
    return exact_text(Fraction(value)) if value or str(value) == "0.0" else "-0"


def _float32_hex(value: float) -> str:
    return f"0x{struct.unpack('<I', struct.pack('<f', value))[0]:08x}"
