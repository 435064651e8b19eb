"""What a file says about itself, as text to be read: never run, long values folded, what is invisible escaped."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.web.quantities import count_text
from app.weightfiles.strict_json import shown

MOST_ROWS = 200
SHORT = 120
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class MetadataRow:
    """One entry. `more` is the whole of a long value, as far as a page should go; `cut` tells what is left out."""

    name: str
    value: str
    more: str | None
    cut: str | None


def metadata_rows(metadata: Mapping[str, Any]) -> tuple[MetadataRow, ...]:
    """The entries in the file's order."""
    return tuple(_row(name, value) for name, value in list(metadata.items())[:MOST_ROWS])


def _row(name: str, value: Any) -> MetadataRow:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    lines = text[:LONGEST].split("\n")
    is_long = len(text) > SHORT or len(lines) > 1
    return MetadataRow(
        name=shown(name, 200),
        value=shown(text, SHORT),
        more="\n".join(shown(line, LONGEST) for line in lines) if is_long else None,
        cut=count_text(len(text) - LONGEST) if len(text) > LONGEST else None,
    )
