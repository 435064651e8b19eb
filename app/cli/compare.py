"""`bitlens compare ORIGINAL COMPRESSED`: the error of every tensor, read back from both files."""

import argparse
from pathlib import Path

from app.cli.compress import print_report
from app.cli.progress import ProgressLine
from app.tasks.compare_files import compare_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("original", metavar="ORIGINAL", type=Path)
    parser.add_argument("compressed", metavar="COMPRESSED", type=Path)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Compare and print."""
    with ProgressLine(arguments.original) as line:
        report = compare_files(arguments.original, arguments.compressed, line)
    print_report(report, as_json=arguments.json)
    return 0
