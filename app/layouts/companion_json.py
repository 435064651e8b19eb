"""JSON files that lie beside weights, as a stranger may have written them: bounded before they are parsed."""

import json
import re
from collections.abc import Mapping
from typing import Any

from app.weightfiles.source import Source

MAX_CONTAINERS = 1_500_000
"""Objects and arrays; a tokenizer's merges take up to half a million."""
MAX_VALUES = 4_000_000
_SURROGATE = re.compile("[\ud800-\udfff]")


def companion_object(source: Source, name: str) -> Mapping[str, Any]:
    """The object that the file of that name holds; empty if there is none, or it holds something else."""
    found = companion_json(source, name)
    return found if isinstance(found, dict) else {}


def companion_json(source: Source, name: str) -> Any:
    """What the JSON file of that name holds; None if it is missing, is no JSON, or would take too much memory."""
    return parse_bounded(source.companion(name) or b"null")


def parse_bounded(text: bytes) -> Any:
    """The value of a JSON text; None if it is none, or has too many values."""
    if text.count(b"[") + text.count(b"{") > MAX_CONTAINERS or text.count(b",") > MAX_VALUES:
        return None
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def is_text(value: Any) -> bool:
    """Whether a value is text that UTF-8 can hold: JSON may escape half a character."""
    return isinstance(value, str) and _SURROGATE.search(value) is None
