"""Choices of the Designer that cannot be read, and formats that it cannot take apart."""

SENTENCES = {
    "designer.choice": "{name} is yes or no, not “{value}”.",
    "designer.not-a-float": "{name} is no float, so it has no exponent and mantissa to choose. Start from a float.",
    "designer.integer-bit": (
        "{name} stores the bit before the point, which the Designer leaves out. Start from another float."
    ),
}
