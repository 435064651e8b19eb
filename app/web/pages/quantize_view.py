"""The view of the Quantize page: what was asked, the schemes beside each other, the charts and their tables."""

from dataclasses import dataclass

from app.web.pages.quantize_cards import SchemeCard
from app.web.pages.quantize_cells import (
    Cells,
    Window,
)
from app.web.pages.quantize_clip_chart import ClipChart, ClipRow
from app.web.pages.quantize_form import QuantizeForm
from app.web.pages.quantize_rate_chart import RateChart, TheoryRow


@dataclass(frozen=True, slots=True)
class WindowMoves:
    """Where else the tables can begin; empty where nothing more is there."""

    left: str
    right: str
    up: str
    down: str


@dataclass(frozen=True, slots=True)
class ClipView:
    """The slider and what it shows."""

    percent: str
    last: str
    """Where the slider ends."""
    charts: tuple[ClipChart, ...]
    rows: tuple[ClipRow, ...]
    fixed: tuple[str, ...]
    """Schemes whose scales cannot be moved together."""


@dataclass(frozen=True, slots=True)
class QuantizeAnswerView:
    """Everything below the fields."""

    rows: int
    columns: int
    bytes_before: str
    window: Window
    is_cut: bool
    moves: WindowMoves
    weights: Cells
    cards: tuple[SchemeCard, ...]
    story: SchemeCard | None
    """The first scheme that worked."""
    largest_error: str
    """Of all schemes: what the darkest shade stands for."""
    rates: tuple[RateChart, ...]
    theory: tuple[TheoryRow, ...]
    source: str
    """`normal` or `laplace`: whose lines are drawn."""
    clip: ClipView | None


@dataclass(frozen=True, slots=True)
class QuantizePage:
    """The view of `quantize.html`; while the matrix cannot be read there is no answer."""

    form: QuantizeForm
    answer: QuantizeAnswerView | None
