"""`bitlens decode -f FORMAT`: codes on standard input, their exact decimals on standard output, a line each."""

import argparse

from app.cli.line_stream import Answer, answer_lines
from app.exact import Kind, decode
from app.exact.plain_decimals import plain_decoder
from app.exact.text import value_text
from app.formats import Format, find_format
from app.tasks.code_text import parse_bits

MOST_KEPT = 65_536
"""Answers that are kept, since codes of few bits come again and again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("-f", "--format", required=True, help="name or alias, see `bitlens formats`")


def run(arguments: argparse.Namespace) -> int:
    """Decode every line; 1 if one was refused."""
    return answer_lines(decoder(find_format(arguments.format)))


def _long_way(code: int, number_format: Format) -> str:
    decoded = decode(code, number_format)
    return "nar" if decoded.kind is Kind.NAR else value_text(decoded)


def decoder(number_format: Format) -> Answer:
    """The function from a code's text to its number's: an exact decimal, `inf`, `nan`, or `nar` of posits."""
    kept: dict[str, str] = {}
    plain = plain_decoder(number_format)

    def answer(text: str) -> str:
        found = kept.get(text)
        if found is None:
            code = parse_bits(text, number_format)
            found = plain(code) or _long_way(code, number_format)
            if len(kept) < MOST_KEPT and len(text) <= 2 * number_format.width + 2:
                kept[text] = found
        return found

    return answer
