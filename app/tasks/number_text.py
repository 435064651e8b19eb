"""A number of JSON as its characters, told apart from a string of the same ones."""


class NumberText(str):
    """Such as `0.1` or `1e3`: what `json` hands to `parse_float` and `parse_int`."""

    __slots__ = ()
