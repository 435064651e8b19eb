"""The names of stored things: `owners/<owner>/<id>/<file>`, validated so that no key can leave the root."""

import re

PART_SUFFIX = ".part"
"""A file whose name ends so is being written; nobody reads it."""

# No leading dot, so neither `.` nor `..` is a segment; no slash, no NUL, ASCII only.
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}", re.ASCII)
_DEEPEST = 6


def segments(key: str) -> tuple[str, ...]:
    """The parts of a valid key.

    Keys are made by us and never typed, so a bad one is a bug.

    Raises:
        ValueError: the key could name something outside the root.
    """
    parts = tuple(key.split("/"))
    if len(parts) > _DEEPEST or not all(_SEGMENT.fullmatch(part) for part in parts):
        raise ValueError(f"not a storage key: {key!r}")
    return parts


def owner_key(owner: str, record: str, file: str) -> str:
    """Where a file or a result of an owner lies."""
    key = f"owners/{owner}/{record}/{file}"
    segments(key)
    return key


def record_of(key: str) -> str | None:
    """The id of the file or job that a key belongs to; None for keys of another layout."""
    parts = segments(key)
    return parts[2] if len(parts) >= 3 and parts[0] == "owners" else None
