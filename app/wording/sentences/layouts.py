"""Quantized weights whose stored parts do not fit together, and going back to plain floats."""

SENTENCES = {
    "layout.part-missing": (
        "“{tensor}” is stored in parts, and “{part}” is not among the tensors of the file. Get the complete file, or "
        "all files of the model together."
    ),
    "layout.part-type": (
        "“{part}” is of type {dtype}, which it cannot be as a part of “{tensor}”. The file was not written as the "
        "layout has it; write it again with the tool that made it."
    ),
    "layout.part-shape": (
        "“{part}” has the shape {shape}, which does not fit the other parts of “{tensor}”. The file was not written as "
        "the layout has it; write it again with the tool that made it."
    ),
    "layout.part-contents": (
        "“{part}” says something about “{tensor}” that cannot be. The file is damaged, or was not written as the "
        "layout has it; get it again."
    ),
    "layout.attribute": (
        "The file’s metadata tells “{attribute}” of “{tensor}” in a way that cannot be. Write the file again with the "
        "tool that made it."
    ),
    "layout.bits-unclear": (
        "Rows of “{tensor}” have {columns} numbers in {words} words, which no number of bits, or more than one, would "
        "give. Put the config.json that says the bits beside the file."
    ),
    "expand.dtype": "Numbers cannot be written out as “{dtype}”. Choose one of: {known}.",
    "expand.unreadable": (
        "“{tensor}” is stored as {dtype}, which Bitlens does not read as numbers, so there is nothing to expand."
    ),
    "layout.tied-unreadable": (
        "What the file’s metadata says in “tied_tensors” is not a JSON object of names. Write the file again with the "
        "tool that made it."
    ),
    "layout.tied-unknown": (
        "The file says that “{tensor}” has the numbers of “{kept}”, and there is no “{kept}”. Get the complete file."
    ),
    "layout.tied-twice": (
        "The file says that “{tensor}” has the numbers of “{kept}”, but it holds “{tensor}” itself. Get the file again."
    ),
    "expand.unknown-codes": (
        "“{tensor}” holds codes of the quantization “{method}” in a form that Bitlens does not read, so they cannot be "
        "turned into numbers. Expand the model with the tool that made it."
    ),
}
