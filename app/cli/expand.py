"""`bitlens expand IN OUT`: every weight back as plain floats, in safetensors."""

import argparse
import json
from pathlib import Path
from typing import Any

from app.cli.progress import ProgressLine
from app.tasks.expand_file import DTYPES, expand_file
from app.weightfiles.source import is_address


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("source", metavar="IN", help="a weight file, a model's folder or a zip of one, or an address")
    parser.add_argument("target", metavar="OUT", type=Path, help="the .safetensors file to write, or a folder for it")
    parser.add_argument("--dtype", help=f"write all floats as this: {', '.join(DTYPES)} (default: as they are)")
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")


def run(arguments: argparse.Namespace) -> int:
    """Expand and print the summary."""
    source = arguments.source if is_address(arguments.source) else Path(arguments.source)
    with ProgressLine(source) as line:
        report = expand_file(source, arguments.target, dtype=arguments.dtype, force=arguments.force, progress=line)
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        _print(report)
    return 0


def _print(report: dict[str, Any]) -> None:
    print(f"{report['bytes_before']:,} -> {report['bytes_after']:,} bytes")
    expanded = [tensor for tensor in report["tensors"] if tensor["stored_as"] != tensor["dtype"]]
    print(f"tensors expanded: {len(expanded)}, as they were: {len(report['tensors']) - len(expanded)}")
    kinds = sorted({(tensor["stored_as"], tensor["dtype"]) for tensor in expanded})
    for stored_as, dtype in kinds:
        count = sum((tensor["stored_as"], tensor["dtype"]) == (stored_as, dtype) for tensor in expanded)
        print(f"{count:>7}  {stored_as} -> {dtype}")
    if report["tied"]:
        print(f"Written under their own names again: {len(report['tied'])} tensors that had been stored once.")
    overflowed = sum(tensor["overflowed"] for tensor in report["tensors"])
    if overflowed:
        print(f"Out of range: {overflowed:,} values became infinite.")
