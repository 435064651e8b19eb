"""`bitlens leaderboard [FILE[:TENSOR]]`: every scheme ranked by its error on a tensor, or on drawn numbers."""

import argparse
import json
import sys
import time
from types import TracebackType
from typing import Self

from app.cli.columns import figure, printable
from app.cli.quantize import add_drawing_arguments
from app.errors import InvalidInput
from app.schemes.fast import quantize_fast
from app.tasks.leaderboard import Leaderboard, Standing, rank_schemes
from app.tasks.number_text import NumberText
from app.tasks.quantize_json import drawn_matrix
from app.tasks.quantize_matrix import read_matrix
from app.tasks.quantize_request import SchemeChoice
from app.tasks.quantize_slice import TensorSlice, parse_place, read_slice
from app.tasks.scheme_words import scheme_text
from app.tasks.threads import one_thread
from app.wording import say
from app.wording.quantize_documents import leaderboard_document

MOST_VALUES = 1 << 16
FIRST_SHAPE = {"rows": NumberText(64), "columns": NumberText(256)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "tensor",
        nargs="?",
        metavar="FILE[:TENSOR]",
        help="a weight file; TENSOR[0:256,0:512] for a part of one (default: its largest matrix)",
    )
    add_drawing_arguments(parser)
    parser.add_argument(
        "--values",
        type=int,
        default=MOST_VALUES,
        metavar="N",
        help="look at no more than N numbers of the tensor, its first rows (default: %(default)s)",
    )
    parser.add_argument("--by", choices=("gap", "sqnr"), default="gap", help="what to rank by (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Rank and print."""
    drawn = {name: getattr(arguments, name) for name in ("distribution", "rows", "columns", "seed")}
    given = {name: value for name, value in drawn.items() if value is not None}
    if bool(arguments.tensor) == bool(given):
        raise InvalidInput("leaderboard.source")
    if arguments.values < 1:
        raise InvalidInput("leaderboard.values")
    found: TensorSlice | None = None
    if arguments.tensor:
        found = read_slice(parse_place(arguments.tensor), arguments.values)
        values = found.values
    else:
        values = read_matrix(drawn_matrix({**FIRST_SHAPE, **given}))
    with one_thread(), _Line() as line:
        board = rank_schemes(values, quantize=quantize_fast, progress=line)
    if arguments.json:
        print(json.dumps(leaderboard_document(board, found), indent=2))
    else:
        _print(board, found, by_sqnr=arguments.by == "sqnr")
    return 0


class _Line:
    """The scheme under way, on a terminal; leaving the context wipes it."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._started = time.monotonic()

    def __call__(self, done: int, total: int, choice: SchemeChoice) -> None:
        if self._shown:
            seconds = time.monotonic() - self._started
            line = f"[{done:3}/{total}] {seconds:5.0f} s  {scheme_text(choice)}"
            print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def _print(board: Leaderboard, found: TensorSlice | None, *, by_sqnr: bool) -> None:
    rows, columns = board.shape
    print(f"{rows:,} x {columns:,} numbers{_of(found)}")
    print(f"{'rank':>4}  {'SQNR dB':>8} {'bits':>9} {'gap dB':>7}  {'scheme':<32} layout")
    for rank, standing in enumerate(board.by_sqnr() if by_sqnr else board.ranked, 1):
        print(f"{rank:>4}  {_row(standing)}".rstrip())
    if board.refused:
        print("\nThese do not take it:")
        for standing in board.refused:
            assert standing.refusal is not None
            print(f"  {scheme_text(standing.choice):<20} {say(standing.refusal.code, standing.refusal.figures)}")


def _of(found: TensorSlice | None) -> str:
    if found is None:
        return ""
    rows, columns = found.whole
    part = "" if (len(found.rows), len(found.columns)) == found.whole else f", a part of its {rows:,} x {columns:,}"
    return f" of {printable(found.name)}{part}"


def _row(standing: Standing) -> str:
    assert standing.figures is not None
    assert standing.bits_per_weight is not None
    sqnr = figure(standing.figures.to_json()["sqnr_db"], ".2f")
    gap = figure(standing.gap_db, ".2f")
    bits = f"{float(standing.bits_per_weight):.4f}"
    return f"{sqnr:>8} {bits:>9} {gap:>7}  {scheme_text(standing.choice):<32} {standing.entry.layout}"
