"""What follows a name: `:word` and `:word=value`, each at most once."""

import re
from collections.abc import Mapping
from typing import Never

from app.errors import InvalidInput

MOST_OPTIONS = 16
INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,5})", re.ASCII)


def split_options(text: str, allowed: Mapping[str, bool]) -> tuple[str, dict[str, str]]:
    """The bare name and its options; `allowed` says of each whether it takes a value.

    Raises:
        InvalidInput: `format.option-unknown`, `format.option-twice`, `format.option-value`.
    """
    bare, *words = text.split(":", MOST_OPTIONS)
    options: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in allowed:
            known = ", ".join(f"{each}=…" if takes_value else each for each, takes_value in allowed.items())
            raise InvalidInput("format.option-unknown", option=word[:40], name=bare[:40], known=known or "–")
        if name in options:
            raise InvalidInput("format.option-twice", option=name, name=bare[:40])
        if bool(equals) is not allowed[name]:
            raise InvalidInput("format.option-value", option=name, name=bare[:40])
        options[name] = value
    return bare, options


def whole_option(options: Mapping[str, str], name: str, *, lowest: int, highest: int, default: int) -> int:
    """An option that is a whole number from a range.

    Raises:
        InvalidInput: `format.option-range`.
    """
    if name not in options:
        return default
    text = options[name]
    if not INTEGER.fullmatch(text) or not lowest <= int(text) <= highest:
        refuse_range(name, text, lowest, highest)
    return int(text)


def refuse_range(option: str, text: str, lowest: int, highest: int) -> Never:
    """Say which whole numbers an option, or a part of a name, can be."""
    raise InvalidInput("format.option-range", option=option, value=text[:20], lowest=lowest, highest=highest)
