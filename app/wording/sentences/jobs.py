"""Background work, storage and limits."""

SENTENCES: dict[str, str] = {}
