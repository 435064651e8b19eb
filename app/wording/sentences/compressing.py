"""What can be asked of a compression, and what a layout has no room for."""

SENTENCES = {
    "kept.long-rows": "rows of {columns} numbers are too long to be coded at once",
    "kept.row-length": "its rows of {columns} numbers do not divide into blocks of {size}",
    "layout.cannot-keep": (
        "Tensor “{tensor}” is of type {type}, for which the output has no place. Choose another layout."
    ),
    "layout.granularity": (
        "The layout {layout} has no place for {scheme} scales shared by “{granularity}”. Choose another granularity "
        "or layout."
    ),
    "layout.none": (
        "Numbers can be looked at in the scheme {scheme}, but no layout of files has a place for it. Choose one of: "
        "{known}."
    ),
    "layout.one-file": "An output in the layout {layout} is one file. Leave out the size of shards.",
    "layout.option": (
        "The layout {layout} has no place for the option “{option}”. Leave it out, or choose another layout."
    ),
    "layout.scheme": "The layout {layout} has no place for the scheme {scheme}. Choose another layout or scheme.",
    "layout.unknown": "There is no layout named “{layout}” that can be written. Choose one of: {known}.",
    "options.no-scheme": "A compression needs a scheme, in at most 200 characters. Choose one, such as int8.",
    "options.scale": "Scales cannot be found by “{scale}”. Choose one of: {known}.",
    "options.set": (
        "“{text}” does not say which tensors get which scheme. Write a pattern, =, and a scheme: *.mlp.*=int4."
    ),
    "output.shards": "Shards need a folder to lie in. Give a folder as the output, or leave out the size of shards.",
    "output.suffix": "“{name}” does not end like a file of this layout. Let it end in {suffix}, or name a folder.",
    "options.size": "“{text}” is no size of files. Write at least a MiB, such as 5GB or 500MiB.",
}
