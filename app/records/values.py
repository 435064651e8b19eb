"""What the records hold, as values."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import Figure, NotFound

Document = Mapping[str, Any]
"""JSON: an analysis or a report."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a file cannot be used: an error's code and figures."""

    code: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """An uploaded weight file; `name` is what its owner called it and never part of a path."""

    id: str
    owner: str
    name: str
    bytes: int
    sha256: str
    key: str
    created_at: float
    refusal: Refusal | None
    is_analysed: bool


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A compression that was asked for; how far it is, only `app.jobs` knows."""

    id: str
    owner: str
    file: str
    file_name: str
    options: Document
    result_key: str
    created_at: float
    expired_at: float | None
    """When the result was removed."""
    finished_at: float | None
    """When the report was saved; None until then."""
    result_bytes: int | None


def new_id() -> str:
    """128 random bits, safe in URLs and as a file name."""
    return secrets.token_urlsafe(16)


def ensure_id(text: str) -> None:
    """Refuses what no id looks like: PostgreSQL takes no NUL, and no database half a character.

    Raises:
        NotFound: `record.unknown`, as for an id that nobody has.
    """
    if not re.fullmatch(r"[\w-]{1,64}", text, re.ASCII):
        raise NotFound("record.unknown")
