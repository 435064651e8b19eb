"""`bitlens compress IN OUT --scheme S`: the same tensors in fewer bits, and a report of what was lost."""

import argparse
import json
from pathlib import Path
from typing import Any

from app.cli.progress import ProgressLine, printable
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import SCHEMES, CompressOptions

WORST = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("source", metavar="IN", type=Path, help="a .safetensors file")
    parser.add_argument("target", metavar="OUT", type=Path, help="the file to write")
    parser.add_argument("--scheme", required=True, help=", ".join(card.name for card in SCHEMES))
    parser.add_argument("--granularity", help="of int8 scales: tensor or channel (default: channel)")
    parser.add_argument("--include", action="append", default=[], metavar="PATTERN", help="compress these tensors too")
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="keep these tensors as they are"
    )
    parser.add_argument("--report", type=Path, metavar="R.json", help="write the report here")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")


def run(arguments: argparse.Namespace) -> int:
    """Compress and print the summary."""
    options = CompressOptions.from_json(
        {
            "scheme": arguments.scheme,
            "granularity": arguments.granularity,
            "include": arguments.include,
            "exclude": arguments.exclude,
        }
    )
    line = ProgressLine(arguments.source.stat().st_size if arguments.source.is_file() else 0)
    try:
        report = compress_file(
            arguments.source,
            arguments.target,
            options,
            report=arguments.report,
            force=arguments.force,
            progress=line,
        )
    finally:
        line.close()
    if arguments.json:
        print(json.dumps(report, indent=2))
    else:
        print_report(report)
    return 0


def print_report(report: dict[str, Any]) -> None:
    """The figures of a report, worst tensors first."""
    if "bytes_after" in report:
        before, after = report["bytes_before"], report["bytes_after"]
        print(f"{before:,} -> {after:,} bytes, {report['ratio']:.3f} times smaller")
    measured = [tensor for tensor in report["tensors"] if not tensor.get("kept")]
    kept = len(report["tensors"]) - len(measured)
    worst = sorted(measured, key=_sqnr)[:WORST]
    print(f"{len(measured)} tensors compressed, {kept} kept as they are; the {len(worst)} with the largest error:")
    print(f"{'SQNR dB':>9}{'MSE':>12}{'max error':>12}{'cosine':>14}  tensor")
    for tensor in worst:
        figures = f"{_decibels(tensor):>9}{tensor['mse']:>12.4g}{tensor['max_abs_error']:>12.4g}"
        cosine = "-" if tensor.get("cosine") is None else f"{tensor['cosine']:.10f}"
        print(f"{figures}{cosine:>14}  {printable(tensor['name'])}")


def _sqnr(tensor: dict[str, Any]) -> float:
    value = tensor["sqnr_db"]
    return float(value) if isinstance(value, int | float) else float("inf")


def _decibels(tensor: dict[str, Any]) -> str:
    value = tensor["sqnr_db"]
    return f"{value:.2f}" if isinstance(value, int | float) else str(value or "-")
