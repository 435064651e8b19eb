"""`bitlens formats [NAME]`: the table of formats, or everything about one."""

import argparse
import json

from app.formats import CATALOG, find_format
from app.tasks.describe_format import describe_format
from app.wording.number_documents import format_document, formats_document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="format name or alias")
    parser.add_argument("--json", action="store_true", help="print as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the table or the card."""
    if arguments.name is not None:
        document = format_document(describe_format(find_format(arguments.name)))
        print(json.dumps(document, indent=2) if arguments.json else _card(document))
    elif arguments.json:
        print(json.dumps(formats_document(), indent=2))
    else:
        for number_format in CATALOG:
            aliases = " ".join(number_format.origin.aliases)
            unit = "bit" if number_format.width == 1 else "bits"
            print(f"{number_format.name:<18}{number_format.width:>4} {unit:<7}{aliases}".rstrip())
    return 0


def _card(document: dict[str, object]) -> str:
    return "\n".join(f"{name.replace('_', ' '):<18}{_text(value)}" for name, value in document.items())


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        return " ".join(_text(item) for item in value.values())
    return "none" if value is None else str(value)
