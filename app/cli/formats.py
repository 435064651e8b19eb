"""`bitlens formats [NAME]`: the table of formats, or everything about one."""

import argparse
import importlib
import json
from typing import Any

from app.formats import BLOCKS, CATALOG, AnyFormat, BlockFormat, find_any_format
from app.tasks.describe_format import describe_format
from app.tasks.format_blocks import describe_block
from app.tasks.format_families import FAMILIES
from app.wording.format_documents import block_document, format_document_in_full, formats_document

NAME_COLUMN, FIGURE_COLUMN = 24, 24
LONGEST_VALUE = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a name, an alias, or a name spelled out (e5m10)")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the table or the card."""
    if arguments.name is not None:
        document = _document(find_any_format(arguments.name))
        print(json.dumps(document, indent=2) if arguments.json else _card(document))
    elif arguments.json:
        print(json.dumps(formats_document(), indent=2))
    else:
        _print_table()
    return 0


def _document(number_format: AnyFormat) -> dict[str, Any]:
    if isinstance(number_format, BlockFormat):
        return block_document(describe_block(number_format))
    # torch takes seconds to load, and the table does not need it.
    libraries = importlib.import_module("app.tasks.format_libraries")
    return format_document_in_full(describe_format(number_format), libraries.library_figures(number_format))


def _print_table() -> None:
    for spelling in FAMILIES:
        print(f"{spelling.family.value}")
        for each in (*CATALOG, *BLOCKS):
            if each.family is spelling.family:
                aliases = " ".join(each.origin.aliases)
                unit = "bit" if each.width == 1 else "bits"
                print(f"  {each.name:<{NAME_COLUMN}}{each.width:>4} {unit:<7}{aliases}".rstrip())
        if spelling.patterns:
            print(f"  also {', '.join(spelling.patterns)} {' '.join(spelling.options)}".rstrip())


def _card(document: dict[str, Any]) -> str:
    lines = []
    for name, value in document.items():
        if name == "libraries":
            lines += [line for library in value for line in _library(library)]
        else:
            lines.append(f"{name.replace('_', ' '):<{FIGURE_COLUMN}}{_text(value)}".rstrip())
    return "\n".join(lines)


def _library(library: dict[str, Any]) -> list[str]:
    """One line, and one for each figure that is not the exact one."""
    if not library["figures"]:
        return [f"{library['call']}: no figures"]
    wrong = [
        f"  {figure['name']} is given as {_text(figure['given'])}; exactly: {_text(figure['exact'])}"
        for figure in library["figures"]
        if not figure["agrees"]
    ]
    return [f"{library['call']}: {'as above' if not wrong else 'differs'}", *wrong]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return " ".join(_text(item) for item in value.values())
    text = "none" if value is None else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}… ({len(text)} characters; --json has all)"
