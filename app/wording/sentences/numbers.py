"""Number text, formats, and the story of a rounding."""

SENTENCES = {
    "format.unknown": "There is no format named “{name}”. Choose one from the list of formats.",
}
