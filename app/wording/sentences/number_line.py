"""Intervals of the number line that cannot be drawn."""

SENTENCES = {
    "number-line.order": "The interval must rise: {low} is not below {high}. Swap the ends or move them apart.",
    "number-line.finite": "“{value}” is no finite number, so no line has a place for it. Give a number such as -1.5.",
    "number-line.far": (
        "“{value}” lies beyond 2^{reach}, where no format reaches. Give a number nearer to zero or to 1."
    ),
    "number-line.scale": "There is no scale named “{scale}”. Choose linear or log.",
    "number-line.select": "“{select}” is no part of the picture. Give two shares of its width, such as 0.25,0.75.",
}
