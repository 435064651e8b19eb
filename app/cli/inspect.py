"""`bitlens inspect VALUE -f FORMAT`: one number's bits."""

import argparse
import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from app.exact import Rounding
from app.tasks.inspect_number import inspect_number
from app.tasks.inspection import Inspection, InspectRequest
from app.wording import say
from app.wording.number_documents import inspection_document

LONGEST = 100
"""Characters of an exact decimal on a terminal line; `--json` gives all of them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("value", nargs="?", metavar="VALUE", help="a number: 0.1, -3e-5, 1/3, 2^-24, 0x1.8p3, inf, nan")
    asked.add_argument("--bits", metavar="CODE", help="a code instead: 0x3dcd or binary digits")
    parser.add_argument(
        "-f",
        "--format",
        default="bfloat16",
        help="name, alias or spelled format: see `bitlens formats`; e5m10, posit12 (default: %(default)s)",
    )
    parser.add_argument("--rounding", default="nearest_even", help=f"{', '.join(Rounding)} (default: %(default)s)")
    parser.add_argument("--overflow", help="ieee, saturate or wrap (default: ieee for floats, saturate for integers)")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the inspection."""
    inspection = inspect_number(
        InspectRequest(
            format=arguments.format,
            value=arguments.value,
            bits=arguments.bits,
            rounding=arguments.rounding,
            overflow=arguments.overflow,
        )
    )
    if arguments.json:
        print(json.dumps(inspection_document(inspection), indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(inspection)))
    return 0


def _lines(inspection: Inspection) -> Iterator[str]:
    yield f"{_cut(inspection.input)} in {inspection.format.name}"
    yield ""
    widths = [max(len(field.bits), len(field.name)) for field in inspection.fields]
    for row in (
        [field.bits for field in inspection.fields],
        [field.name for field in inspection.fields],
    ):
        yield "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    for name, text in _facts(inspection):
        yield f"{name:<10}{text}"
    yield ""
    for step in inspection.steps:
        yield say(step.id, step.figures)


def _facts(inspection: Inspection) -> Iterator[tuple[str, str]]:
    yield "value", _shorten(inspection.value)
    if inspection.fraction is not None and inspection.fraction != inspection.value:
        yield "fraction", _shorten(inspection.fraction)
    if inspection.hexfloat is not None:
        yield "hex float", inspection.hexfloat
    yield "code", f"{inspection.hex}  {inspection.code}"
    yield "class", inspection.kind
    if inspection.ulp is not None:
        yield "ulp", _shorten(inspection.ulp)
    if inspection.error is not None:
        error = inspection.error
        yield "error", "0 (exact)" if error.direction == "exact" else _shorten(error.absolute)
        if error.direction != "exact":
            yield "relative", error.relative or "undefined"
            yield "ulps", error.ulps or "undefined"
    for name, neighbour in (("previous", inspection.previous), ("next", inspection.next)):
        if neighbour is not None:
            yield name, f"{_shorten(neighbour.value)}  {neighbour.hex}"
    for witness in inspection.witnesses:
        if witness.agrees is False:
            reason = f": {say(witness.reason.id, witness.reason.figures)}" if witness.reason else ""
            yield witness.library, f"gives {_shorten(witness.value or 'nothing')} ({witness.hex}){reason}"


def _shorten(text: str) -> str:
    """Text as it is while it fits a line; else a decimal's first 17 digits, or the two ends of what is none."""
    if len(text) <= LONGEST:
        return text
    try:
        return f"about {Decimal(text):.16e}"
    except InvalidOperation:  # a fraction, a hex float, or an exponent beyond those of Decimal
        return _cut(text)


def _cut(text: str) -> str:
    half = (LONGEST - 3) // 2
    return text if len(text) <= LONGEST else f"{text[:half]}...{text[-half:]}"
