"""`bitlens quantize VALUES --scheme S`: a small matrix through up to four schemes."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from app.cli.columns import figure, printable
from app.errors import InvalidInput
from app.tasks.number_text import NumberText
from app.tasks.quantize_json import FIELDS, choice_from_json, request_from_json
from app.tasks.quantize_request import (
    MOST_TEXT,
    Distribution,
    MatrixSource,
    QuantizeRequest,
    SchemeChoice,
    TensorMatrix,
    TypedMatrix,
)
from app.tasks.quantize_slice import parse_place, read_slice
from app.tasks.quantize_values import QuantizeAnswer, Quantized, QuantizedView, quantize_values
from app.tasks.scheme_words import read_scheme, scheme_text
from app.tasks.threads import one_thread
from app.wording import say
from app.wording.quantize_documents import quantize_document

MOST_ROWS, MOST_COLUMNS = 16, 8
FIRST_SCHEME = "int8"
FLAGS = ("symmetric", "double_quant", "signed_scales")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "values",
        nargs="*",
        metavar="VALUE",
        help="numbers, rows between semicolons: '0.5 -1.25; 3 1/3' (default: from standard input, a line a row)",
    )
    parser.add_argument(
        "--tensor", metavar="FILE:NAME[ROWS,COLUMNS]", help="a part of a tensor: model.safetensors:w[0:8,0:64]"
    )
    add_drawing_arguments(parser)
    parser.add_argument(
        "--scheme",
        action="append",
        default=[],
        metavar="SCHEME",
        help=f"up to four times; options may follow: int4:group=32:absmax (default: {FIRST_SCHEME})",
    )
    parser.add_argument("--granularity", help="tensor, channel, column, group=128, block=64 or block=128x128")
    symmetry = parser.add_mutually_exclusive_group()
    symmetry.add_argument("--symmetric", action="store_true", default=None)
    symmetry.add_argument("--asymmetric", dest="symmetric", action="store_false")
    parser.add_argument("--scale", help="absmax, percentile or mse (default: mse)")
    parser.add_argument("--percentile", metavar="P", type=NumberText, help="of 100, for --scale percentile")
    parser.add_argument("--double-quant", action="store_true", default=None, help="quantize the scales as well")
    parser.add_argument("--signed-scales", action="store_true", default=None, help="let scales be negative")
    parser.add_argument("--mx-scale", help="floor, ceil, rceil, even or mse")
    parser.add_argument("--scale-format", help="float32, float16 or bfloat16")
    parser.add_argument("--zero-point", help="integer or float")
    parser.add_argument("--stochastic", metavar="SEED", type=NumberText, help="round up or down at random")
    parser.add_argument("--rotation", metavar="SEED", type=NumberText, help="rotate rows before (Hadamard), and back")
    parser.add_argument(
        "--importance", metavar="FILE.json", type=Path, help="a weight for each column's squared errors"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def add_drawing_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of a generated matrix."""
    parser.add_argument("--distribution", help=f"draw a matrix: {', '.join(Distribution)}")
    parser.add_argument("--rows", type=NumberText, help="of a drawn matrix")
    parser.add_argument("--columns", type=NumberText, help="of a drawn matrix")
    parser.add_argument("--seed", type=NumberText, help="of a drawn matrix")


def run(arguments: argparse.Namespace) -> int:
    """Quantize and print; 1 where a scheme refused."""
    request = QuantizeRequest(_source(arguments), _schemes(arguments), _importance(arguments.importance))
    with one_thread():
        answer = quantize_values(request)
    refused = [view for view in answer.views if view.refusal is not None]
    if arguments.json:
        print(json.dumps(quantize_document(answer)))
        return 1 if refused else 0
    print("\n".join(_lines(answer)))
    for view in refused:
        assert view.refusal is not None
        print(f"bitlens: {view.choice.name}: {say(view.refusal.code, view.refusal.figures)}", file=sys.stderr)
    return 1 if refused else 0


def _source(arguments: argparse.Namespace) -> MatrixSource:
    drawn = {name: getattr(arguments, name) for name in ("distribution", "rows", "columns", "seed")}
    given = {name: value for name, value in drawn.items() if value is not None}
    if sum(map(bool, (arguments.values, arguments.tensor, given))) > 1:
        raise InvalidInput("quantize.one-source")
    if arguments.tensor:
        return TensorMatrix(read_slice(parse_place(arguments.tensor)).values)
    if given:
        return request_from_json({**given, "scheme": FIRST_SCHEME}).source
    if arguments.values:
        return TypedMatrix(" ".join(arguments.values))
    return TypedMatrix(sys.stdin.read(MOST_TEXT + 1))


def _schemes(arguments: argparse.Namespace) -> tuple[SchemeChoice, ...]:
    """Options hold for every scheme; what stands in a scheme's own words comes before them."""
    options = {name: value for name, value in vars(arguments).items() if name in FIELDS and value is not None}
    for name in ("values", "distribution", "rows", "columns", "seed", "importance", "scheme"):
        options.pop(name, None)
    return tuple(_merged(read_scheme(text), options) for text in arguments.scheme or [FIRST_SCHEME])


def _merged(own: SchemeChoice, options: dict[str, Any]) -> SchemeChoice:
    shared = choice_from_json({**options, "scheme": own.name})
    plain = SchemeChoice(own.name)
    fields = ("scale", "percentile", "signed_scales", "seed", "rotation")
    found = {name: getattr(own, name) for name in fields if getattr(own, name) != getattr(plain, name)}
    if own.scale is not None:
        found["percentile"] = own.percentile
    words = {
        name: getattr(own.options, name)
        for name in own.options.__dataclass_fields__
        if getattr(own.options, name) != getattr(plain.options, name)
    }
    return replace(shared, options=replace(shared.options, **words), **found)


def _importance(path: Path | None) -> tuple[float, ...] | None:
    if path is None:
        return None
    try:
        values = json.loads(path.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
        raise InvalidInput("quantize.importance-unreadable", path=printable(str(path)), reason=reason) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("quantize.importance-file") from error
    if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
        raise InvalidInput("quantize.importance-file")
    return tuple(min(max(value, -1e39), 1e39) * 1.0 for value in values)


def _lines(answer: QuantizeAnswer) -> Iterator[str]:
    rows, columns = answer.values.shape
    yield f"float32, {rows:,} x {columns:,}, {answer.bytes_before:,} bytes"
    yield from _matrix(answer.values)
    for view in answer.views:
        if view.quantized is not None:
            yield ""
            yield from _scheme(view, view.quantized)


def _scheme(view: QuantizedView, found: Quantized) -> Iterator[str]:
    assert view.entry is not None
    storage, figures = found.storage, found.error.figures
    yield " ".join(filter(None, (scheme_text(view.choice), view.search and f"(scales by {view.search})")))
    parts = (
        ("codes", storage.codes),
        ("scales", storage.scales),
        ("zero points", storage.zero_points),
        ("others", storage.others),
        ("padding", storage.padding),
    )
    told = ", ".join(f"{name} {_bytes(bits)}" for name, bits in parts if bits)
    yield f"  {-(-storage.total // 8):,} bytes: {told}; {float(storage.bits_per_weight):.6g} bits a weight"
    place = found.max_error_cell
    where = "" if place is None else f" at row {place[0] + 1}, column {place[1] + 1}"
    sqnr, largest = figure(figures.to_json()["sqnr_db"], ".2f"), figure(figures.to_json()["max_abs_error"])
    yield f"  SQNR {sqnr} dB, mean squared error {figure(figures.to_json()['mse'])}, largest error {largest}{where}"
    if found.clipped:
        yield f"  {found.clipped:,} clipped"
    if found.block_scales.numel() <= MOST_ROWS * MOST_COLUMNS:
        yield "  scales"
        yield from _matrix(found.block_scales)
        if found.block_offsets is not None:
            yield "  zero points or minima"
            yield from _matrix(found.block_offsets)
    yield f"  codes{'' if found.element is None else f' of {found.element.name}'}"
    yield from _codes(view, found)
    yield "  read back"
    yield from _matrix(found.dequantized)


def _bytes(bits: int) -> str:
    return f"{bits / 8:,g}"


def _codes(view: QuantizedView, found: Quantized) -> Iterator[str]:
    rows, columns = found.dequantized.shape
    yield from _table(
        [
            [view.element_hex(row, column) or hex(int(found.elements.codes[row, column])) for column in _first(columns)]
            for row in range(min(rows, MOST_ROWS))
        ],
        rows,
        columns,
    )


def _matrix(values: Tensor) -> Iterator[str]:
    rows, columns = values.shape
    part = values[:MOST_ROWS, : len(_first(columns))].tolist()
    yield from _table([[f"{value:.6g}" for value in row] for row in part], rows, columns)


def _first(columns: int) -> range:
    return range(min(columns, MOST_COLUMNS))


def _table(cells: list[list[str]], rows: int, columns: int) -> Iterator[str]:
    width = max((len(cell) for row in cells for cell in row), default=0)
    more = " ..." if columns > MOST_COLUMNS else ""
    for row in cells:
        yield "    " + "  ".join(cell.rjust(width) for cell in row) + more
    if rows > MOST_ROWS:
        yield f"    ... {rows - MOST_ROWS:,} more rows"
