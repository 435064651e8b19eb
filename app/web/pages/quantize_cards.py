"""Each scheme of the Quantize page as a card: its bytes, its error, its numbers and its pictures."""

from dataclasses import dataclass
from fractions import Fraction

import torch

from app.exact.text import exact_text
from app.schemes.grid_scheme import GridScheme
from app.schemes.scheme import Elements, Storage
from app.tasks.quantize_values import QuantizeAnswer, Quantized, QuantizedView
from app.tasks.scheme_words import scheme_words
from app.web.pages.addresses import inspect_address
from app.web.pages.quantize_cells import (
    Cells,
    Window,
    code_cells,
    code_width,
    error_cells,
    exact_float,
    has_zero_points,
    restored_cells,
)
from app.web.pages.quantize_clip_chart import decibels, percent_text, relative_error
from app.web.pages.quantize_pictures import HeatMap, LevelPicture, heat_map, largest_finite, level_picture
from app.web.typography import approximately
from app.wording import Language, say

MOST_SCALES = 6
LONGEST_SHORT = 26
PARTS = ("codes", "scales", "zero_points", "others", "padding")
LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of one purpose: a name of PARTS; `kind` says it more closely: `offsets` or `codebook`."""

    name: str
    kind: str
    bytes: str
    """Exact; halves and eighths are decimals."""
    start: float
    """Where the part begins on the bar, and how long it is, both of the matrix in float32 as 100."""
    share: float


@dataclass(frozen=True, slots=True)
class ScaleText:
    """A scale or offset, rounded and exact, and its page."""

    text: str
    exact: str
    href: str


@dataclass(frozen=True, slots=True)
class SchemeCard:
    """One scheme as chosen; `refusal` is a sentence where the rest is empty, and `work` is None there."""

    number: int
    name: str
    label: str
    """The name with the words of its options."""
    short: str
    """For the charts: the name alone where no other has it."""
    words: str
    refusal: str
    work: "SchemeWork | None"


@dataclass(frozen=True, slots=True)
class SchemeWork:
    """What came of the matrix."""

    parts: tuple[Part, ...]
    kept_bytes: str
    """Without padding."""
    all_bytes: str
    ratio: str
    """How many times smaller, padding counted; empty where it is not smaller."""
    bits_per_weight: str
    sqnr: str
    relative: str
    """The error in percent of the size of the weights, both as the root of the mean square."""
    largest_error: str
    largest_error_exact: str
    largest_at: tuple[int, int] | None
    """Row and column, counted from 1."""
    clipped: int | None
    codes: Cells
    restored: Cells
    errors: Cells
    is_rotated: bool
    """The codes are those of rotated rows."""
    code_offset: int
    """What the file adds to each integer; 0 where nothing."""
    scales: tuple[ScaleText, ...]
    scale_count: int
    zero_points: tuple[ScaleText, ...]
    """What is taken off a code before its scale is multiplied."""
    zero_point_count: int
    offsets: tuple[ScaleText, ...]
    """What is added afterwards."""
    offset_count: int
    heat: HeatMap | None
    levels: LevelPicture


def scheme_cards(language: Language, answer: QuantizeAnswer, window: Window) -> tuple[SchemeCard, ...]:
    """Each scheme's card, in the order asked for."""
    largest = largest_error(answer)
    return tuple(_card(language, number, each, answer, window, largest) for number, each in enumerate(answer.views, 1))


def largest_error(answer: QuantizeAnswer) -> float:
    """Of all schemes."""
    return max((largest_finite(each.quantized.errors) for each in answer.views if each.quantized), default=0.0)


def _card(
    language: Language, number: int, view: QuantizedView, answer: QuantizeAnswer, window: Window, largest: float
) -> SchemeCard:
    words = scheme_words(view.choice)
    refusal = "" if view.refusal is None else say(view.refusal.code, view.refusal.figures, language)
    work = None if view.quantized is None else _work(language, view, view.quantized, answer, window, largest)
    name = view.choice.name[:LONGEST_NAME]
    label = " ".join((name, *words))
    is_alone = sum(each.choice.name == view.choice.name for each in answer.views) == 1
    short = name if is_alone else label
    return SchemeCard(
        number=number,
        name=name,
        label=label,
        short=short if len(short) <= LONGEST_SHORT else f"{short[: LONGEST_SHORT - 1]}…",
        words=" · ".join(_shown_words(view, words)),
        refusal=refusal,
        work=work,
    )


def _shown_words(view: QuantizedView, words: tuple[str, ...]) -> tuple[str, ...]:
    """With what a scale is for, where that goes without saying."""
    if view.entry is None or not view.entry.granularities or view.choice.options.granularity is not None:
        return words
    return (view.entry.granularities[0], *words)


def _work(
    language: Language,
    view: QuantizedView,
    quantized: Quantized,
    answer: QuantizeAnswer,
    window: Window,
    largest: float,
) -> SchemeWork:
    storage, values = quantized.storage, answer.values
    error = exact_float(float(quantized.error.figures.max_abs_error or 0))
    at = quantized.max_error_cell
    scales = quantized.block_scales.flatten() if storage.scales else torch.zeros(0)
    zero_points, offsets = _zero_points(quantized), _offsets(quantized.elements)
    is_all = (window.bottom - window.top, window.right - window.left) == tuple(values.shape)
    return SchemeWork(
        parts=_parts(storage, _kinds(view, quantized)),
        kept_bytes=exact_text(Fraction(storage.total - storage.padding, 8)),
        all_bytes=exact_text(Fraction(storage.total, 8)),
        ratio=_ratio(storage),
        bits_per_weight=exact_text(storage.bits_per_weight),
        sqnr=decibels(quantized.error.figures.sqnr_db),
        relative=percent_text(relative_error(quantized.error.figures.sqnr_db)),
        largest_error=approximately(error, 3),
        largest_error_exact=error,
        largest_at=None if at is None else (at[0] + 1, at[1] + 1),
        clipped=quantized.clipped,
        codes=code_cells(language, view, quantized, window),
        restored=restored_cells(language, quantized, window),
        errors=error_cells(language, values, quantized, window, largest),
        is_rotated=view.choice.rotation is not None,
        code_offset=_code_offset(view, quantized),
        scales=_texts(language, scales),
        scale_count=scales.numel(),
        zero_points=_texts(language, zero_points),
        zero_point_count=zero_points.numel(),
        offsets=_texts(language, offsets),
        offset_count=offsets.numel(),
        heat=None if is_all else heat_map(quantized.errors, window),
        levels=level_picture(quantized),
    )


def _kinds(view: QuantizedView, quantized: Quantized) -> dict[str, str]:
    """What some parts are called in this scheme."""
    kinds = {} if quantized.elements.offsets is None else {"zero_points": "offsets"}
    is_own_codebook = view.entry is not None and not view.entry.element
    return {**kinds, "others": "codebook"} if is_own_codebook else kinds


def _parts(storage: Storage, kinds: dict[str, str]) -> tuple[Part, ...]:
    """The bar is as long as the matrix in float32; what is larger fills it."""
    whole = max(storage.weights * 32, storage.total)
    found, start = [], 0.0
    for name in PARTS:
        bits = getattr(storage, name)
        share = bits / whole * 100
        if bits:
            found.append(
                Part(name, kinds.get(name, name), exact_text(Fraction(bits, 8)), round(start, 3), round(share, 3))
            )
        start += share
    return tuple(found)


def _ratio(storage: Storage) -> str:
    ratio = storage.weights * 32 / storage.total
    return f"{ratio:.3g}" if ratio > 1 else ""


def _zero_points(quantized: Quantized) -> torch.Tensor:
    """In units of codes, each once for its neighbours in a row."""
    if not has_zero_points(quantized):
        return torch.zeros(0)
    elements = quantized.elements
    found: torch.Tensor = torch.unique_consecutive((elements.codes - elements.levels).flatten())
    return found


def _offsets(elements: Elements) -> torch.Tensor:
    """What is added, each number once for its neighbours in a row."""
    if elements.offsets is None:
        return torch.zeros(0)
    found: torch.Tensor = torch.unique_consecutive(elements.offsets.flatten())
    return found


def _texts(language: Language, numbers: torch.Tensor) -> tuple[ScaleText, ...]:
    found = []
    for number in numbers[:MOST_SCALES].tolist():
        exact = exact_float(number)
        href = inspect_address(language, value=exact, format="float32")
        found.append(ScaleText(approximately(exact, 6), exact, href))
    return tuple(found)


def _code_offset(view: QuantizedView, quantized: Quantized) -> int:
    """Integers that the layout stores unsigned: its codes are those of two's complement and so much more."""
    if not isinstance(quantized.scheme, GridScheme) or quantized.element_codes is None or has_zero_points(quantized):
        return 0
    modulus = 1 << code_width(view, quantized)
    difference = (quantized.elements.codes - quantized.element_codes) % modulus
    offset = int(difference.flatten()[0])
    return offset if bool((difference == offset).all()) else 0
