"""Several formats as one text: names separated by spaces, as `formats=float16+bfloat16` in an address."""

from app.errors import InvalidInput
from app.formats import Format, find_format

MOST_FORMATS = 12


def find_formats(text: str, most: int = MOST_FORMATS) -> tuple[Format, ...]:
    """The formats named, each once, in the order given.

    Raises:
        InvalidInput: `formats.none`, `formats.too-many`, `formats.separator`, or what `find_format` says of a name.
    """
    names = text.split()
    if not names:
        raise InvalidInput("formats.none")
    found = tuple(dict.fromkeys(find_listed(name) for name in names[: 4 * most]))
    if len(found) > most or len(names) > 4 * most:
        raise InvalidInput("formats.too-many", count=len(names), most=most)
    return found


def find_listed(name: str) -> Format:
    """One format of a list; names that were separated by commas are told how to separate them."""
    if "," in name and not name.lower().startswith("codebook:"):
        raise InvalidInput("formats.separator", names=name[:40])
    return find_format(name)
