"""Tensors that cannot be put into a format, or read from it."""

SENTENCES = {
    "codec.too-wide": (
        "A code of {format} has {width} bits, and a tensor holds at most {widest}. Look at single numbers in this "
        "format, or choose a narrower one."
    ),
    "codec.no-dtype": (
        "torch has no data type whose elements are numbers of {format}. Choose a format that it has, such as float16 "
        "or int8."
    ),
    "codec.nan": (
        "{count} of the values are NaN, and {format} has no code for it. Replace them, or choose a format with NaN."
    ),
    "codec.negative": (
        "{count} of the values are below zero, and {format} has neither a sign nor NaN. Choose a format with a sign."
    ),
    "codec.zero": (
        "{count} of the values are zero, and {format} has neither zero nor NaN. Replace them, or choose a format with "
        "zero."
    ),
    "codec.seed-missing": "Stochastic rounding needs a seed, so that it can be done again. Give a whole number.",
    "codec.scale-rule": "There is no rule for block scales named “{name}”. Choose one of: {known}.",
}
