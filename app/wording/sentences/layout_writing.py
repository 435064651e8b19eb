"""What a layout that is written cannot say of a whole model."""

SENTENCES: dict[str, str] = {
    "compress.turned": (
        "The layers of this model are Conv1D, which loaders of the layout {layout} do not look for. Choose the "
        "layout gguf, or a plain cast such as bfloat16."
    ),
    "kept.merged-experts": "loaders of this layout merge a model’s experts, and then miss the scales of each",
    "kept.router": "router",
    "kept.turned": "its layer is a Conv1D, which loaders of this layout do not look for",
    "layout.mixed-bits": (
        "The config of {layout} has a place for 4 bits or for 8, not for both. Choose one scheme for all weights, or "
        "write the layout compressed-tensors."
    ),
    "layout.one-scheme": (
        "The config of {layout} has a place for one scheme, and more than one was chosen. Use one for all weights, or "
        "write the layout compressed-tensors."
    ),
}
