"""What a layout that is written cannot say of a whole model."""

SENTENCES: dict[str, str] = {
    "layout.mixed-bits": (
        "The config of {layout} has a place for 4 bits or for 8, not for both. Choose one scheme for all weights, or "
        "write the layout compressed-tensors."
    ),
    "layout.one-scheme": (
        "The config of {layout} has a place for one scheme, and more than one was chosen. Use one for all weights, or "
        "write the layout compressed-tensors."
    ),
}
