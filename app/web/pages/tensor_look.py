"""The heat map of a tensor as a page shows it: the picture, ways to zoom and move, and the numbers of small windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.formats import find_format, format_names
from app.jobs.states import State
from app.tasks.look_window import VALUES, LookWindow, MatrixShape
from app.tasks.tensor_views import Look
from app.web.pages.addresses import inspect_address
from app.web.quantities import number_text
from app.wording import Language, say

SIDES = ("top", "left", "rows", "columns")
ZOOM_CELLS = 8
"""Parts of the picture, across and down, that lead further in."""
WIDTH = 512
SHORTEST, TALLEST = 48, 640


@dataclass(frozen=True, slots=True)
class PlaneChoice:
    """What can be drawn: values, or a bit of the code."""

    name: str
    field: str
    """The field that a bit belongs to; empty for values."""
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class ZoomPart:
    """A part of the picture that is a link to itself, drawn larger."""

    x: float
    y: float
    width: float
    height: float
    href: str


@dataclass(frozen=True, slots=True)
class NumberCell:
    """One number of a small window; None stands for what lies behind the end."""

    text: str
    code: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Way:
    """A way to another window: `in`, `out`, `all`, `up`, `down`, `left`, `right`."""

    name: str
    href: str


@dataclass(frozen=True, slots=True)
class TensorLook:
    """The heat map and its controls."""

    name: str
    action: str
    href: str
    """Of the page as it is."""
    is_pending: bool
    refusal: str | None
    planes: tuple[PlaneChoice, ...]
    plane: str
    field: str
    window: LookWindow
    last_row: int
    last_column: int
    matrix_rows: int
    matrix_columns: int
    cell_rows: int
    cell_columns: int
    picture_href: str
    width: int
    height: int
    parts: tuple[ZoomPart, ...]
    ways: tuple[Way, ...]
    columns: tuple[int, ...]
    numbers: tuple[tuple[int, tuple[NumberCell | None, ...]], ...]
    largest: str | None
    ones: str | None
    strange: int


def asked_window(shape: Sequence[int], number_format: str, parameters: Mapping[str, str]) -> LookWindow:
    """The window that query parameters ask for; what makes no sense becomes the whole tensor and its values."""
    asked = {
        side: int(text)
        for side in SIDES
        if (text := parameters.get(side, "")).isascii() and text.isdigit() and len(text) <= 15
    }
    plane = parameters.get("plane", VALUES)
    return LookWindow.within(MatrixShape.of(shape), asked, plane if plane in planes_of(number_format) else VALUES)


def planes_of(number_format: str) -> dict[str, str]:
    """What can be drawn of numbers of that format, and the field of each bit."""
    planes = {VALUES: ""}
    if number_format in format_names():
        found = find_format(number_format)
        position = found.width
        for name, width in found.field_widths:
            for _ in range(width):
                position -= 1
                planes[str(position)] = name
    return planes


def look_address(place: int, tensor: Mapping[str, Any], href: str) -> str:
    """The neighbourhood of an element, in numbers; `place` counts in row-major order."""
    matrix = MatrixShape.of(tensor["shape"])
    row, column = divmod(place, max(matrix.columns, 1))
    around = {"top": max(row - 4, 0), "left": max(column - 4, 0), "rows": 8, "columns": 8}
    window = LookWindow.within(matrix, around, VALUES)
    return _Links(href, str(tensor["name"]), window, matrix).to()


def tensor_look(tensor: Mapping[str, Any], look: Look, window: LookWindow, href: str, language: Language) -> TensorLook:
    """The heat map of a tensor's window; `href` is the tensor's page without a query string."""
    matrix = MatrixShape.of(tensor["shape"])
    number_format = str(tensor["dtype"])
    planes = planes_of(number_format)
    document = look.document or {}
    height = round(min(max(WIDTH * window.cells[0] / max(window.cells[1], 1), SHORTEST), TALLEST))
    links = _Links(href, str(tensor["name"]), window, matrix)
    state = look.state
    is_pending = look.document is None and not state.state.is_final
    return TensorLook(
        name=str(tensor["name"]),
        action=href,
        href=links.to(),
        is_pending=is_pending,
        refusal=_refusal(look, language),
        planes=tuple(PlaneChoice(name, field, name == window.plane) for name, field in planes.items()),
        plane=window.plane,
        field=planes.get(window.plane, ""),
        window=window,
        last_row=window.top + window.rows - 1,
        last_column=window.left + window.columns - 1,
        matrix_rows=matrix.rows,
        matrix_columns=matrix.columns,
        cell_rows=window.cell[0],
        cell_columns=window.cell[1],
        picture_href=links.picture(),
        width=WIDTH,
        height=height,
        parts=_parts(links, height) if not window.has_numbers else (),
        ways=_ways(links),
        columns=tuple(range(window.left, window.left + window.columns)) if document.get("numbers") else (),
        numbers=_numbers(document.get("numbers"), window, number_format, language),
        largest=number_text(document.get("largest")) if document.get("largest") is not None else None,
        ones=f"{100 * document['ones']:.2f}\u202f%" if document.get("ones") is not None else None,
        strange=int(document.get("strange", 0)),
    )


def _refusal(look: Look, language: Language) -> str | None:
    if look.document is not None or not look.state.state.is_final:
        return None
    if look.state.state is State.FAILED and look.state.error_code is not None:
        return say(look.state.error_code, look.state.error_figures, language)
    return say("job.failed", {}, language)


@dataclass(frozen=True, slots=True)
class _Links:
    href: str
    name: str
    window: LookWindow
    matrix: MatrixShape

    def to(self, **changes: int) -> str:
        """Another window of the same tensor, moved until it fits."""
        sides = {side: getattr(self.window, side) for side in SIDES} | changes
        moved = LookWindow.within(self.matrix, sides, self.window.plane)
        return f"{self.href}?{self._query(moved)}#look"

    def picture(self) -> str:
        return f"{self.href}/look.png?{self._query(self.window)}"

    def _query(self, window: LookWindow) -> str:
        sides = {side: getattr(window, side) for side in SIDES}
        return urlencode({"name": self.name, "plane": window.plane, **sides}, errors="surrogatepass")


def _parts(links: _Links, height: int) -> tuple[ZoomPart, ...]:
    window = links.window
    down, across = min(ZOOM_CELLS, window.rows), min(ZOOM_CELLS, window.columns)
    parts = []
    for row in range(down):
        for column in range(across):
            top, bottom = row * window.rows // down, (row + 1) * window.rows // down
            left, right = column * window.columns // across, (column + 1) * window.columns // across
            parts.append(
                ZoomPart(
                    x=round(WIDTH * left / window.columns, 1),
                    y=round(height * top / window.rows, 1),
                    width=round(WIDTH * (right - left) / window.columns, 1),
                    height=round(height * (bottom - top) / window.rows, 1),
                    href=links.to(
                        top=window.top + top, left=window.left + left, rows=bottom - top, columns=right - left
                    ),
                )
            )
    return tuple(parts)


def _ways(links: _Links) -> tuple[Way, ...]:
    window, matrix = links.window, links.matrix
    ways = []
    if window.rows > 1 or window.columns > 1:
        rows, columns = (
            max(-(-window.rows // 4), min(window.rows, 16)),
            max(-(-window.columns // 4), min(window.columns, 16)),
        )
        if (rows, columns) != (window.rows, window.columns):
            top, left = window.top + (window.rows - rows) // 2, window.left + (window.columns - columns) // 2
            ways.append(Way("in", links.to(top=top, left=left, rows=rows, columns=columns)))
    if window.rows < matrix.rows or window.columns < matrix.columns:
        rows, columns = min(window.rows * 4, matrix.rows), min(window.columns * 4, matrix.columns)
        top = max(window.top - (rows - window.rows) // 2, 0)
        left = max(window.left - (columns - window.columns) // 2, 0)
        ways.append(Way("out", links.to(top=top, left=left, rows=rows, columns=columns)))
        ways.append(Way("all", links.to(top=0, left=0, rows=matrix.rows, columns=matrix.columns)))
    if window.top > 0:
        ways.append(Way("up", links.to(top=max(window.top - window.rows, 0))))
    if window.top + window.rows < matrix.rows:
        ways.append(Way("down", links.to(top=window.top + window.rows)))
    if window.left > 0:
        ways.append(Way("left", links.to(left=max(window.left - window.columns, 0))))
    if window.left + window.columns < matrix.columns:
        ways.append(Way("right", links.to(left=window.left + window.columns)))
    return tuple(ways)


def _numbers(
    numbers: Sequence[Sequence[Any]] | None, window: LookWindow, number_format: str, language: Language
) -> tuple[tuple[int, tuple[NumberCell | None, ...]], ...]:
    is_known = number_format in format_names()
    rows = []
    for place, line in enumerate(numbers or ()):
        cells = tuple(_cell(found, number_format if is_known else None, language) for found in line)
        rows.append((window.top + place, cells))
    return tuple(rows)


def _cell(found: Sequence[Any] | None, number_format: str | None, language: Language) -> NumberCell | None:
    if found is None:
        return None
    code, value = found
    href = inspect_address(language, bits=code, format=number_format) if number_format else None
    return NumberCell(number_text(value, 3), code, href)
