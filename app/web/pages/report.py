"""The report of a finished job as rows and figures: what it saved, what was lost, what was kept."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.web.pages.job_losses import Losses, losses_of
from app.web.pages.table_query import SortKey, TablePage, TableQuery, table_page
from app.web.pages.tensor_rows import name_parts
from app.web.quantities import count_text, decibel_text, number_text, shape_text, size_text
from app.wording import Language, say

Row = Mapping[str, Any]

SORTS: Mapping[str, SortKey[Row]] = {
    "sqnr": lambda row: (_measured(row["sqnr_db"]),),
    "name": lambda row: (row["name"],),
    "place": lambda row: (row["place"],),
    "size": lambda row: (row["bytes_before"],),
    "saved": lambda row: (row["bytes_before"] - row["bytes_after"],),
    "mse": lambda row: (_measured(row["mse"]),),
    "error": lambda row: (_measured(row["max_abs_error"]),),
    "cosine": lambda row: (row["cosine"],),
}
MOST_KEPT_ROWS = 200
DESCENDING_FIRST = frozenset({"size", "saved", "mse", "error"})


@dataclass(frozen=True, slots=True)
class CompressedRow:
    """One compressed tensor; `bar` is its SQNR on a scale of 0 to 100."""

    name: str
    name_parts: tuple[str, ...]
    dtype: str
    shape: str
    stored_as: str
    scales: str | None
    """The format of the scales of packed codes."""
    size_before: str
    size_after: str
    bits_per_weight: str
    sqnr: str
    bar: float
    mse: str
    max_error: str
    cosine: str
    clipped: str | None
    """How many values lay beyond the format's range; None if none did."""
    note: str | None
    """What a loader may stumble over."""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One tensor that was kept as it is, and why."""

    name_parts: tuple[str, ...]
    dtype: str
    shape: str
    size: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The whole report."""

    size_before: str
    size_after: str
    ratio: str
    """How many times smaller, or larger: at least 1."""
    is_smaller: bool
    before_permille: int
    after_permille: int
    worst_sqnr: str | None
    compressed: int
    kept: int
    kept_size: str
    table: TablePage[CompressedRow]
    kept_rows: tuple[KeptRow, ...]
    """The first of them; a page has room for no more."""
    kept_left_out: int
    losses: Losses | None


def report_of(document: Mapping[str, Any], parameters: Mapping[str, str], language: Language) -> Report:
    """The report as a page shows it; `parameters` are those of the query string."""
    rows = [{**row, "place": place} for place, row in enumerate(document["tensors"])]
    compressed = [row for row in rows if not row["kept"]]
    kept = [row for row in rows if row["kept"]]
    query = TableQuery.read(parameters, tuple(SORTS), descending_first=DESCENDING_FIRST)
    page = table_page(compressed, query, name_of=lambda row: str(row["name"]), sorts=SORTS)
    decibels = [sqnr for row in compressed if (sqnr := _measured(row["sqnr_db"])) is not None]
    worst, best = min(decibels, default=math.inf), max(filter(math.isfinite, decibels), default=1.0)
    ratio = document["ratio"]
    return Report(
        size_before=size_text(document["bytes_before"]),
        size_after=size_text(document["bytes_after"]),
        ratio=f"{max(ratio, 1 / ratio):.2f}",
        is_smaller=ratio >= 1,
        before_permille=round(1000 * min(1, ratio)),
        after_permille=round(1000 * min(1, 1 / ratio)),
        worst_sqnr=decibel_text(worst) if worst < math.inf else None,
        compressed=len(compressed),
        kept=len(kept),
        kept_size=size_text(sum(row["bytes_after"] for row in kept)),
        table=page.with_rows(tuple(_compressed_row(row, best, language) for row in page.rows)),
        kept_rows=tuple(_kept_row(row, language) for row in kept[:MOST_KEPT_ROWS]),
        kept_left_out=max(len(kept) - MOST_KEPT_ROWS, 0),
        losses=losses_of(compressed),
    )


def compressed_row(row: Row, language: Language) -> CompressedRow:
    """One compressed tensor by itself."""
    return _compressed_row(row, _measured(row["sqnr_db"]) or 1.0, language)


def _compressed_row(row: Row, best: float, language: Language) -> CompressedRow:
    sqnr = row["sqnr_db"]
    # "pack-quantized int8, float32 scales": the layout is true of the whole file.
    stored_as, _, scales = row["stored_as"].removeprefix("pack-quantized ").partition(", ")
    return CompressedRow(
        name=row["name"],
        name_parts=name_parts(row["name"]),
        dtype=row["dtype"],
        shape=shape_text(row["shape"]),
        stored_as=stored_as,
        scales=scales.removesuffix(" scales") or None,
        size_before=size_text(row["bytes_before"]),
        size_after=size_text(row["bytes_after"]),
        bits_per_weight=number_text(row["bits_per_weight"]),
        sqnr=decibel_text(sqnr),
        bar=_bar(_measured(sqnr), best),
        mse=number_text(row["mse"], 3),
        max_error=number_text(row["max_abs_error"], 3),
        cosine=_cosine_text(row["cosine"]),
        clipped=_clipped_text(row),
        note=say(row["note"], {}, language) if row.get("note") else None,
    )


def _kept_row(row: Row, language: Language) -> KeptRow:
    return KeptRow(
        name_parts=name_parts(row["name"]),
        dtype=row["dtype"],
        shape=shape_text(row["shape"]),
        size=size_text(row["bytes_after"]),
        reason=say(f"kept.{row['reason']}", row.get("reason_figures") or {}, language),
    )


def _bar(sqnr: float | None, best: float) -> float:
    if sqnr is None or sqnr == -math.inf:
        return 0.0
    return 100.0 if sqnr == math.inf or best <= 0 else round(max(0.0, min(100.0, 100 * sqnr / best)), 1)


def _measured(value: float | str | None) -> float | None:
    """A figure to sort by: infinities come as texts."""
    return None if value is None else float(value)


def _cosine_text(value: float | None) -> str:
    return number_text(None) if value is None else f"{value:.7f}".replace("-", "−")


def _clipped_text(row: Row) -> str | None:
    clipped = row.get("saturated", 0) + row.get("overflowed", 0)
    return count_text(clipped) if clipped else None
