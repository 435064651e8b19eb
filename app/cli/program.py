"""Choosing the command, and turning what goes wrong into one sentence and an exit code."""

import argparse
import importlib
import io
import os
import re
import sys
from collections.abc import Sequence

from app import __version__
from app.errors import AppError, StorageFull
from app.wording import say

# A command's module is imported only when it is asked for: most commands would wait for torch for nothing.
COMMANDS = {
    "inspect": ("app.cli.inspect", "see one number's bits in a format"),
    "encode": ("app.cli.encode", "turn numbers into codes, a line each, from standard input"),
    "decode": ("app.cli.decode", "turn codes into exact decimals, a line each, from standard input"),
    "formats": ("app.cli.formats", "list the number formats, or describe one"),
    "quantize": ("app.cli.quantize", "quantize a small matrix with up to four schemes"),
    "leaderboard": ("app.cli.leaderboard", "rank every scheme by its error on a tensor, or on drawn numbers"),
    "analyse": ("app.cli.analyse", "list a weight file's tensors and their statistics"),
    "compress": ("app.cli.compress", "store a weight file's tensors in fewer bits"),
    "expand": ("app.cli.expand", "turn a weight file back into plain floats"),
    "compare": ("app.cli.compare", "read two weight files back and measure the error per tensor"),
    "serve": ("app.cli.serve", "start the web application and its worker"),
    "worker": ("app.cli.worker", "run background jobs only"),
}

_NEGATIVE = re.compile(r"-(\d|\.\d|\(|inf|nan|snan)", re.IGNORECASE)
DONE, REFUSED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 refused with a sentence on stderr, 2 wrong usage."""
    words = _shield_negative_numbers(sys.argv[1:] if arguments is None else list(arguments))
    chosen = next((word for word in words if not word.startswith("-")), None)
    try:
        return _run(chosen, words)
    except AppError as error:
        return _refuse(error)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): that is no failure.
        _drop_output()
        return DONE
    except OSError as error:
        _drop_output()
        return _refuse(StorageFull("command.input-output", reason=error.strerror or str(error)))
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(chosen: str | None, words: list[str]) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As stderr does: what the terminal's encoding lacks, or a file name that is no text, becomes an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        parsed = _parser(chosen).parse_args(words)
        return int(parsed.run(parsed))
    finally:
        # Here and not at exit, where nobody could tell a reader that has gone from a fault.
        if sys.stdout is not None:
            sys.stdout.flush()


def _refuse(error: AppError) -> int:
    print(f"bitlens: {say(error.code, error.figures)}", file=sys.stderr)
    return REFUSED


def _drop_output() -> None:
    """What is still to be written goes nowhere; at exit it would fail once more."""
    if sys.stdout is None:  # closed before we began
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bitlens", description="See what a number looks like inside the machine.")
    parser.add_argument("--version", action="version", version=f"bitlens {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module_name, summary) in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == chosen:
            module = importlib.import_module(module_name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _shield_negative_numbers(words: list[str]) -> list[str]:
    """Move `-1e-5`, `-inf` and `-(1/3)` behind `--`, where argparse takes them for values and not for options."""
    if "--" in words:
        return words
    if words[:1] == ["quantize"]:
        # Of many numbers each keeps its place: to argparse nothing that starts with a space is an option.
        return [f" {word}" if _NEGATIVE.match(word) else word for word in words]
    numbers = [word for word in words if _NEGATIVE.match(word)]
    return [word for word in words if word not in numbers] + ["--", *numbers] if numbers else words
