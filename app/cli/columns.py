"""How names and figures of a weight file stand in a table on a terminal."""


def figure(value: float | str | None, spec: str = ".4g") -> str:
    """A figure of a document: a number, `inf` or `-inf` as it is, and `-` for one that is not known."""
    if value is None:
        return "-"
    return value if isinstance(value, str) else format(value, spec)


def printable(text: str) -> str:
    """Text of a file, safe for a terminal: what is not printable becomes an escape."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
