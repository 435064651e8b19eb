"""The Quantize page: schemes and matrices as texts of an address."""

SENTENCES = {
    "scheme.word": (
        "“{word}” says nothing about the scheme {name}. Write words after colons, such as"
        " int4:group=32:absmax or nf4:block=64:double-quant."
    ),
    "scheme.seed": "The seed “{text}” is no whole number of at most 9 digits. Write one such as 1.",
    "quantize.seed": "The seed “{text}” is no whole number of at most 9 digits. Write one such as 1.",
    "quantize.shape-text": "“{text}” is no size. Give rows and columns as whole numbers, such as 16 and 64.",
    "quantize.long-matrix": (
        "The matrix takes {length:,} characters, and the address of this page holds {limit:,}. Use fewer rows or fewer"
        " digits, or the command “bitlens quantize”, which takes files."
    ),
}
