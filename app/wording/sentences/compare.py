"""The stretch of magnitudes that the Compare page draws."""

SENTENCES = {
    "compare.window-positive": "“{text}” is no positive number. Give a magnitude such as 1e-10 or 2^-24.",
    "compare.window-order": (
        "The largest magnitude must be at least one and a half times the smallest. Move them apart."
    ),
}
