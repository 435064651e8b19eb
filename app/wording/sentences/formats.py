"""Names of formats that name nothing."""

SENTENCES = {
    "format.is-block": (
        "{name} is a block format: its elements share a scale, so a single number has no code in it. Choose its "
        "element, {element}, or its scale, {scale}."
    ),
    "format.option-unknown": "{name} has no option “{option}”. The options are: {known}.",
    "format.option-twice": "The option {option} of {name} is given twice. Keep one.",
    "format.option-value": (
        "The option {option} of {name} is written in another way: bias=7, specials=none and es=1 take a value, the "
        "others do not."
    ),
    "format.option-range": "{option} cannot be {value}. It is a whole number from {lowest} to {highest}.",
    "format.specials": "The special values of {name} cannot be “{value}”. Choose one of: {known}.",
    "format.bias": "A bias of {bias} moves {name} out of reach. It may be {lowest} to {highest}.",
    "format.too-wide": (
        "{name} would have {width} bits; the widest format has {widest}. Take away exponent or mantissa bits."
    ),
    "format.no-bits": "{name} has no bits for a number. Add some.",
    "format.no-exponent-for-specials": (
        "{name} has no exponent that could stand for infinity and NaN. Choose specials=none, nan-only or infinity-nan."
    ),
    "format.no-exponent-for-normals": (
        "{name} has no exponent, so all its numbers are subnormals. Add exponent bits or keep the subnormals."
    ),
    "format.zero-without-subnormals": (
        "In {name} zero is the first of the subnormals. To have no zero, choose no-subnormals as well."
    ),
    "format.no-minus-zero-anyway": "{name} has no minus zero anyway. Leave out no-negative-zero.",
    "format.minus-zero-means-nothing": (
        "Without minus zero and without NaN, one code of {name} would mean nothing. Choose other specials than none."
    ),
    "format.nothing-left": "The special values of {name} leave no number but zero. Add bits or choose other specials.",
    "format.two-notations": "{name} can be written in one notation only: sign-magnitude or ones-complement.",
    "format.codebook-size": "A codebook has 2 to {most} different values; this one has {count}.",
    "format.codebook-value": (
        "Value {place} of the codebook, “{value}”, cannot be read. Write plain decimals, such as -0.5 or 1e-3, with "
        "commas between."
    ),
    "format.codebook-twice": "Value {place} of the codebook, {value}, is there already. Only zero may stand twice.",
    "formats.none": "No format is named. Name at least one, such as float16.",
    "formats.separator": "The names in “{names}” are separated by commas. Put spaces between them instead.",
    "formats.too-many": "{count} formats are named; at most {most} are shown together. Leave some out.",
}
