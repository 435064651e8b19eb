"""`bitlens analyse FILE...`: every tensor's name, dtype, shape and statistics."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.cli.columns import figure, printable
from app.cli.progress import ProgressLine
from app.errors import AppError
from app.tasks.analyse_file import analyse_file
from app.wording import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", type=Path)
    lines = parser.add_mutually_exclusive_group()
    lines.add_argument("--json", action="store_true", help="one JSON object a file, indented")
    lines.add_argument("--jsonl", action="store_true", help="one JSON object a line")


def run(arguments: argparse.Namespace) -> int:
    """Print each file's analysis; a refused file is told and the next one is read."""
    exit_code = 0
    for path in arguments.files:
        try:
            document = {"file": str(path), **_analyse(path)}
        except AppError as error:
            exit_code = 1
            message = say(error.code, error.figures)
            document = {"file": str(path), "error": {"code": error.code, "message": message}}
            if not (arguments.json or arguments.jsonl):
                print(f"{path}: {message}", file=sys.stderr)
        if arguments.json or arguments.jsonl:
            print(json.dumps(document, indent=2 if arguments.json else None), flush=True)
        elif "error" not in document:
            _print_table(document)
    return exit_code


def _analyse(path: Path) -> dict[str, Any]:
    with ProgressLine(path) as line:
        return analyse_file(path, line)


def _print_table(document: dict[str, Any]) -> None:
    totals = document["totals"]
    print(
        f"{document['file']}: {totals['tensors']} tensors, {totals['parameters']:,} values, {document['bytes']:,} bytes"
    )
    columns = (
        f"{'dtype':<14}{'shape':<18}{'min':>12}{'max':>12}{'mean':>12}{'std':>12}{'zeros':>8}{'nan+inf':>9}  tensor"
    )
    print(columns)
    for tensor in document["tensors"]:
        elements = tensor["elements"] or 1
        figures = "".join(f"{figure(tensor[name]):>12}" for name in ("min", "max", "mean", "std"))
        zeros = "-" if tensor["zeros"] is None else f"{tensor['zeros'] / elements:.1%}"
        specials = "-" if tensor["nans"] is None else f"{tensor['nans'] + tensor['infinities']:,}"
        shape = "x".join(map(str, tensor["shape"])) or "scalar"
        print(f"{tensor['dtype']:<14}{shape:<18}{figures}{zeros:>8}{specials:>9}  {printable(tensor['name'])}")
