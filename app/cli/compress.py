"""`bitlens compress IN OUT --scheme S`: the same tensors in fewer bits, and a report of what was lost."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.cli.columns import figure, printable
from app.cli.progress import ProgressLine
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import SCHEMES, CompressOptions
from app.wording import say

WORST = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("source", metavar="IN", type=Path, help="a .safetensors file")
    parser.add_argument("target", metavar="OUT", type=Path, help="the .safetensors file to write, or a folder for it")
    parser.add_argument("--scheme", required=True, help=", ".join(card.name for card in SCHEMES))
    parser.add_argument("--granularity", help="of int8 scales: tensor or channel (default: channel)")
    parser.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="PATTERN",
        help="compress these tensors too; * stands for any characters",
    )
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
    with ProgressLine(arguments.source) as line:
        report = compress_file(
            arguments.source,
            arguments.target,
            options,
            report=arguments.report,
            force=arguments.force,
            progress=line,
        )
    print_report(report, as_json=arguments.json)
    if report.get("config") == "kept":
        print(say("output.config-kept", {}), file=sys.stderr)
    for remark in report.get("remarks", ()):
        print(say(remark, {}), file=sys.stderr)
    return 0


def print_report(report: dict[str, Any], *, as_json: bool) -> None:
    """A report or comparison: whole as JSON, else its figures, worst tensors first."""
    if as_json:
        print(json.dumps(report, indent=2))
        return
    ratio = report["ratio"]
    change = f"{ratio:.3f} times smaller" if ratio >= 1 else f"{1 / ratio:.3f} times larger"
    print(f"{report['bytes_before']:,} -> {report['bytes_after']:,} bytes, {change}")
    measured = [tensor for tensor in report["tensors"] if not tensor.get("kept")]
    kept = len(report["tensors"]) - len(measured)
    worst = sorted(measured, key=_sqnr)[:WORST]
    print(f"tensors compressed: {len(measured)}, kept as they are: {kept}; those with the largest error:")
    print(f"{'SQNR dB':>9}{'MSE':>12}{'max error':>12}{'cosine':>14}  tensor")
    for tensor in worst:
        sqnr, cosine = figure(tensor["sqnr_db"], ".2f"), figure(tensor["cosine"], ".10f")
        mse, largest = figure(tensor["mse"]), figure(tensor["max_abs_error"])
        print(f"{sqnr:>9}{mse:>12}{largest:>12}{cosine:>14}  {printable(tensor['name'])}")
    for name, fate in (("overflowed", "became infinite"), ("saturated", "are held at the format's largest number")):
        count = sum(tensor.get(name, 0) for tensor in measured)
        if count:
            print(f"Out of range: {count:,} values {fate}.")


def _sqnr(tensor: dict[str, Any]) -> float:
    """To sort by: an error too large for float64 is told first, like an infinite one."""
    value = tensor["sqnr_db"]
    return float("-inf" if value is None else value)
