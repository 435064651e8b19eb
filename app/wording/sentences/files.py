"""Weight files, schemes and reports."""

SENTENCES: dict[str, str] = {}
