"""`bitlens compare ORIGINAL COMPRESSED`: the error of every tensor, read back from both files."""

import argparse
from pathlib import Path

from app.cli.compress import print_report
from app.cli.progress import ProgressLine
from app.tasks.compare_files import compare_files
from app.weightfiles.source import is_address


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    for name in ("original", "compressed"):
        what = "a weight file, a model's folder or a zip of one, or an address"
        parser.add_argument(name, metavar=name.upper(), help=what)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Compare and print."""
    original, compressed = (
        name if is_address(name) else Path(name) for name in (arguments.original, arguments.compressed)
    )
    with ProgressLine(original) as line:
        report = compare_files(original, compressed, line)
    print_report(report, as_json=arguments.json)
    return 0
