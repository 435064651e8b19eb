"""Quantizing a matrix: its numbers, and what schemes refuse."""

SENTENCES: dict[str, str] = {
    "scheme.empty": "The matrix has no numbers. Give at least one.",
    "scheme.not-finite": (
        "{count:,} of the numbers are NaN or infinite, the first in row {row}, column {column}. No scale can hold them:"
        " replace them with finite numbers."
    ),
    "scheme.importance": (
        "The importance must be {columns:,} finite numbers, one for each column, none of them negative."
    ),
    "scheme.granularity": (
        "There is no granularity “{granularity}”. Write tensor, channel, column, group=128, block=64 or block=128x128."
    ),
    "scheme.unknown": "There is no scheme named “{name}”. Choose one of: {known}.",
    "scheme.option": "The scheme {name} does not take the option “{option}”. Leave it out.",
    "scheme.row-length": (
        "The layout {name} stores rows in blocks of {block}, and the rows here have {columns:,} numbers. Choose another"
        " scheme, or rows of a multiple of {block}."
    ),
    "scheme.scale-format": "There is no scale format “{name}”. Choose one of: {known}.",
    "scheme.mx-scale": "There is no rule “{rule}” for the scales of this scheme. Choose one of: {known}.",
    "scheme.zero-point": "There is no zero point of the kind “{zero_point}”. Choose integer or float.",
    "scheme.rotation": (
        "The rotation works on runs of {size} numbers, and the rows here have {columns:,}. Use rows of a multiple of"
        " {size}, or leave the rotation out."
    ),
    "quantize.empty": "The matrix has no numbers. Type some, such as 0.5 -1.25; 3 0.01.",
    "quantize.ragged": ("Row {row} has {length:,} numbers and the first row has {columns:,}. Give every row as many."),
    "quantize.number": (
        "“{text}” in row {row}, column {column} is no number. Write one such as -0.25, 3e-5 or 1/3, without"
        " spaces in it."
    ),
    "quantize.not-finite": (
        "“{text}” in row {row}, column {column} is no finite float32. Give a number below 2^128 in magnitude."
    ),
    "quantize.source": (
        "Give either “values” (rows of numbers, or text) or “distribution” (such as normal); exactly one of the two."
    ),
    "quantize.only-drawn": "“{name}” says how a matrix is drawn and goes with “distribution”. Leave it out.",
    "quantize.rows": "“values” must be a list of rows, such as [[0.5, -1.25], [3, 0.01]], or text.",
    "quantize.cell": "In row {row}, column {column} of “values” stands no number. Write one there, or its text.",
    "quantize.scale": "There is no rule for scales named “{name}”. Choose one of: {known}.",
    "quantize.distribution": "There is no distribution named “{name}”. Choose one of: {known}.",
    "quantize.slice": "“{text}” is no range. Write 0:8, 3 or : for rows and columns, such as NAME[0:8,0:64].",
    "quantize.slice-outside": (
        "The tensor has {rows:,} rows and {columns:,} columns, counted from 0, and the part asked for holds none of"
        " them. Choose others."
    ),
    "quantize.slice-too-large": "The part takes more than {limit:,} bytes in float32. Choose fewer rows or columns.",
    "quantize.no-tensor": "The file has no tensor named “{name}”. `bitlens analyse` lists the tensors.",
    "quantize.no-matrix": "The file has no tensor of floats with two dimensions or more. Name one of its tensors.",
    "quantize.tensor-kind": "The tensor “{name}” is of {dtype} or has no elements: there are no numbers to quantize.",
    "quantize.importance-file": "The file of the importance must be a JSON list of numbers, one for each column.",
    "quantize.importance-unreadable": "The file {path} cannot be read: {reason}. Check --importance.",
    "quantize.one-source": "Give one matrix: numbers, or --tensor, or --distribution.",
    "leaderboard.source": "Give either a file or --distribution, such as --distribution normal.",
    "leaderboard.values": "There must be at least one number to look at. Give --values 1 or more.",
    "quantize.shape": "A matrix of {rows} rows and {columns} columns has no numbers. Give at least 1 of each.",
    "quantize.too-many": "The matrix has {count:,} numbers. At most {limit:,} are quantized here: use a part of it.",
    "quantize.text-too-long": "The matrix is longer than {limit:,} characters. Use a part of it.",
    "quantize.schemes": "No scheme is chosen. Choose one, such as int8.",
    "quantize.too-many-schemes": "At most {limit} schemes are compared at once. Leave some out.",
    "quantize.percentile-alone": "A percentile is given beside the rule {scale}. Choose the rule percentile, or none.",
    "quantize.percentile": "The percentile is {percentile}; it must be above 0 and at most 100, such as 99.9.",
}
