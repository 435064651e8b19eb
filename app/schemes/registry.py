"""The table of all schemes of the engine, gathered from their families."""

from app.errors import InvalidInput
from app.schemes import (
    affine,
    codebooks,
    floats,
    gguf_schemes,
    integers,
    iq4_xs,
    k_quants,
    lloyd_max,
    microscaling,
    plain_casts,
)
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.scheme import Scheme

_FAMILIES = (
    plain_casts.ENTRIES,
    integers.ENTRIES,
    affine.ENTRIES,
    floats.ENTRIES,
    microscaling.ENTRIES,
    codebooks.ENTRIES,
    lloyd_max.ENTRIES,
    gguf_schemes.ENTRIES,
    k_quants.ENTRIES,
    iq4_xs.ENTRIES,
)

ENTRIES: dict[str, SchemeEntry] = {entry.name: entry for family in _FAMILIES for entry in family}


def entry_or_none(name: str) -> SchemeEntry | None:
    """The entry of that name: one of the table, or a plain cast to any other format of at most 16 bits."""
    return ENTRIES.get(name) or plain_casts.cast_entry(name)


def find_entry(name: str) -> SchemeEntry:
    """The same.

    Raises:
        InvalidInput: `scheme.unknown`.
    """
    entry = entry_or_none(name)
    if entry is None:
        raise InvalidInput("scheme.unknown", name=name[:40], known=", ".join(ENTRIES))
    return entry


def find_scheme(name: str, options: SchemeOptions | None = None) -> Scheme:
    """The scheme of that name with these options.

    Raises:
        InvalidInput: `scheme.unknown`; `scheme.option`, one that the scheme does not take; what
            the options themselves are refused for.
    """
    options = options or SchemeOptions()
    entry = find_entry(name)
    defaults = SchemeOptions()
    for option in SchemeOptions.__dataclass_fields__:
        if getattr(options, option) != getattr(defaults, option) and option not in entry.options:
            raise InvalidInput("scheme.option", name=name, option=option)
    return entry.build(options)
