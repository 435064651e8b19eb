"""What is asked of the pages of formats and cannot be shown."""

SENTENCES = {
    "formats.family": "There is no family “{family}”. Choose one of: {known}.",
    "formats.width": "The width “{width}” is not a whole number from 1 to 128.",
    "codes.too-wide": (
        "{format} has {width} bits: more codes than pages can list, which ends at {widest} bits. Its number line shows "
        "any part of it."
    ),
    "codes.page": "There is no page “{page}” for {format}: its pages are 1 to {pages}.",
    "codes.at-too-long": "What you look for is longer than {most} characters. Shorten it.",
}
