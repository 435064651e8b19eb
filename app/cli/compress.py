"""`bitlens compress IN OUT --scheme S`: the same tensors in fewer bits, and a report of what was lost."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from app.cli.columns import figure, printable
from app.cli.progress import ProgressLine
from app.layouts.gguf_writing import GGUF
from app.layouts.onnx_writing import ONNX
from app.layouts.table import LAYOUTS
from app.tasks.compress_file import compress_file, plan_only
from app.tasks.compress_options import SCHEMES, CompressOptions
from app.wording import say

WORST = 10
_BY_SUFFIX = {layout.suffix: layout.name for layout in (GGUF, ONNX)}
"""The layout that the name of a target asks for; None for others."""
PATTERN_OPTIONS = {
    "include": "compress these tensors too; * stands for any characters",
    "exclude": "keep these tensors as they are",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("source", metavar="IN", type=Path, help="a weight file, a folder of them, or a zip of that")
    parser.add_argument("target", metavar="OUT", type=Path, help="a .safetensors, .gguf or .onnx file, or a folder")
    parser.add_argument(
        "--scheme",
        required=True,
        help=f"options may follow: int4:group=32:absmax. One of {', '.join(entry.name for entry in SCHEMES)}",
    )
    parser.add_argument(
        "--granularity", help="what shares a scale: tensor, channel, group=128, block=64, block=128x128"
    )
    symmetry = parser.add_mutually_exclusive_group()
    symmetry.add_argument("--symmetric", action="store_true", default=None)
    symmetry.add_argument("--asymmetric", dest="symmetric", action="store_false", help="with zero points")
    parser.add_argument("--scale", help="absmax, percentile=99.9 or mse, the least squared error (default: mse)")
    parser.add_argument("--double-quant", action="store_true", default=None, help="quantize the scales as well")
    parser.add_argument("--signed-scales", action="store_true", default=None, help="let scales be negative")
    parser.add_argument("--mx-scale", help="floor, ceil, rceil, even or mse")
    known = ", ".join(LAYOUTS)
    parser.add_argument("--layout", help=f"one of {known} (default: by OUT.gguf and OUT.onnx, else the scheme's)")
    for option, said in PATTERN_OPTIONS.items():
        parser.add_argument(f"--{option}", action="append", default=[], metavar="PATTERN", help=said)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATTERN=SCHEME",
        help="another scheme for some of the tensors that are compressed: '*.mlp.*=int8:channel'",
    )
    parser.add_argument("--max-shard-size", metavar="SIZE", help="of files in a folder: 5GB (default: as in IN)")
    parser.add_argument("--plan", action="store_true", help="say what would be done to each tensor, and do nothing")
    parser.add_argument("--report", type=Path, metavar="R.json", help="write the report here")
    parser.add_argument("--json", action="store_true", help="print the report, or the plan, as JSON")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")


def run(arguments: argparse.Namespace) -> int:
    """Compress and print the summary."""
    given = {name: getattr(arguments, name) for name in CompressOptions.__dataclass_fields__}
    if given["layout"] is None:
        given["layout"] = _BY_SUFFIX.get(arguments.target.suffix)
    options = CompressOptions.from_json(given)
    if arguments.plan:
        plan = plan_only(arguments.source, arguments.target, options)
        print_plan(plan, as_json=arguments.json)
        _print_remarks(plan)
        return 0
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
    _print_remarks(report)
    if report.get("config") == "kept":
        print(say("output.config-kept", {}), file=sys.stderr)
    return 0


def _print_remarks(report: dict[str, Any]) -> None:
    for remark in report["remarks"]:
        print(say(remark, {}), file=sys.stderr)


def print_plan(plan: dict[str, Any], *, as_json: bool) -> None:
    """What would be done to each tensor."""
    if as_json:
        print(json.dumps(plan, indent=2))
        return
    print(f"{plan['bytes_before']:,} -> {plan['bytes_after']:,} bytes, layout {plan['layout']}")
    print(f"{'bytes before':>15}{'after':>15}{'bits':>8}  scheme or why it is kept, tensor")
    for row in plan["tensors"]:
        fate = say(f"kept.{row['reason']}", row["reason_figures"] or {}) if row["kept"] else row["options"]
        bits = figure(row["bits_per_weight"], ".2f")
        what = f"kept: {fate}" if row["kept"] else fate
        print(f"{row['bytes_before']:>15,}{row['bytes_after']:>15,}{bits:>8}  {what}  {printable(row['name'])}")
    for dropped, kept in plan["tied"].items():
        print(f"{printable(dropped)} is stored once, as {printable(kept)}")


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
