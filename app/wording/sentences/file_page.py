"""The file page: looks at parts of tensors."""

SENTENCES: dict[str, str] = {
    "look.no-tensor": "The file has no tensor named “{tensor}”. Go back to the file and choose one from its table.",
    "look.too-many": "{limit} looks at tensors are waiting already. Try again in a moment.",
    "look.unreadable": (
        "Tensor “{tensor}” cannot be drawn there: it holds no numbers, or the window lies outside it. "
        "Show the whole tensor."
    ),
}
