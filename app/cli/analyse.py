"""`bitlens analyse FILE...`: every tensor's name, dtype, shape and statistics."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.cli.columns import figure, printable
from app.cli.progress import ProgressLine
from app.errors import AppError
from app.tasks.list_tensors import list_tensors
from app.weightfiles.source import is_address
from app.wording import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a weight file, a model's folder or a zip of one, an index of shards, or an address (hf://, s3://, https://)",
    )
    parser.add_argument("--header", action="store_true", help="names, dtypes and shapes only: no number is read")
    lines = parser.add_mutually_exclusive_group()
    lines.add_argument("--json", action="store_true", help="one JSON object a file, indented")
    lines.add_argument("--jsonl", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print each file's analysis; a refused file is told and the next one is read."""
    exit_code = 0
    for name in arguments.files:
        try:
            document = {"file": name, **_document(name, header_only=arguments.header)}
        except AppError as error:
            exit_code = 1
            message = say(error.code, error.figures)
            document = {"file": name, "error": {"code": error.code, "message": message}}
            if not (arguments.json or arguments.jsonl):
                print(f"{printable(name)}: {message}", file=sys.stderr)
        if arguments.json or arguments.jsonl:
            print(json.dumps(document, indent=2 if arguments.json else None), flush=True)
        elif "error" not in document:
            _print_table(document, header_only=arguments.header)
    return exit_code


def _document(name: str, *, header_only: bool) -> dict[str, Any]:
    path = name if is_address(name) else Path(name)
    if header_only:
        return list_tensors(path)
    from app.tasks.analyse_file import analyse_file  # noqa: PLC0415 - a header alone need not wait for torch

    with ProgressLine(path) as line:
        return analyse_file(path, line)


def _print_table(document: dict[str, Any], *, header_only: bool) -> None:
    totals = document["totals"]
    print(
        f"{printable(document['file'])}: {totals['tensors']} tensors, {totals['parameters']:,} values, "
        f"{document['bytes']:,} bytes"
    )
    if "left_out" in document:
        print(f"not read: {', '.join(map(printable, document['left_out']))}")
    names = ("bytes",) if header_only else ("min", "max", "mean", "std", "zeros", "nan+inf")
    print(f"{'dtype':<14}{'shape':<18}{''.join(f'{name:>{_WIDTHS.get(name, 12)}}' for name in names)}  tensor")
    for tensor in document["tensors"]:
        shape = "x".join(map(str, tensor["shape"])) or "scalar"
        figures = f"{tensor['bytes']:>16,}" if header_only else _figures(tensor)
        print(f"{tensor['dtype']:<14}{shape:<18}{figures}  {printable(tensor['name'])}")


_WIDTHS = {"zeros": 8, "nan+inf": 9, "bytes": 16}


def _figures(tensor: dict[str, Any]) -> str:
    elements = tensor["elements"] or 1
    figures = "".join(f"{figure(tensor[name]):>12}" for name in ("min", "max", "mean", "std"))
    zeros = "-" if tensor["zeros"] is None else f"{tensor['zeros'] / elements:.1%}"
    specials = "-" if tensor["nans"] is None else f"{tensor['nans'] + tensor['infinities']:,}"
    return f"{figures}{zeros:>8}{specials:>9}"
