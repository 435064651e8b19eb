"""`bitlens encode -f FORMAT`: numbers as text on standard input, their codes on standard output, a line each."""

import argparse

from app.cli.line_stream import Answer, answer_lines
from app.exact import Rounding, encode, parse
from app.exact.plain_decimals import plain_encoder
from app.exact.rounding import find_overflow, find_rounding
from app.formats import Format, find_format
from app.tasks.code_text import format_hex


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("-f", "--format", required=True, help="name or alias, see `bitlens formats`")
    parser.add_argument("--rounding", default="nearest_even", help=f"{', '.join(Rounding)} (default: %(default)s)")
    parser.add_argument("--overflow", help="ieee, saturate or wrap (default: ieee for floats, saturate for integers)")


def run(arguments: argparse.Namespace) -> int:
    """Encode every line; 1 if one was refused."""
    number_format = find_format(arguments.format)
    rounding = find_rounding(arguments.rounding)
    overflow = find_overflow(arguments.overflow, number_format)
    return answer_lines(encoder(number_format, rounding.value, overflow.value))


def encoder(number_format: Format, rounding: str = "nearest_even", overflow: str | None = None) -> Answer:
    """The function from a number's text to its code's."""
    plain = plain_encoder(number_format, find_rounding(rounding))

    def answer(text: str) -> str:
        code = plain(text)
        if code is None:
            code = encode(parse(text), number_format, rounding, overflow).code
        return format_hex(code, number_format)

    return answer
