"""How an exact number is shown on the pages of formats: its digits, or rounded with the exact powers of two beside."""

from dataclasses import dataclass
from fractions import Fraction

from app.exact.text import exact_text
from app.tasks.format_figures import in_hexadecimal, in_powers

LONGEST_DIGITS = 22
DIGITS = 8
LONGEST_NAME = 44


@dataclass(frozen=True, slots=True)
class ShownFigure:
    """`digits` rounded to `places` (all of them where they are few), and the same exactly in powers of two."""

    plain: str
    places: int
    powers: str | None
    """None where it says no more than the digits."""
    copied: str
    """A short text that reads back as exactly this number."""


def shown(value: Fraction, longest: int = LONGEST_DIGITS) -> ShownFigure:
    """An exact number made ready for a page."""
    plain, powers = exact_text(value), in_powers(value)
    is_long = len(plain) > longest and "^" in powers
    words = powers.replace("*", " × ").replace("-1)", "−1)") if "^" in powers else None
    return ShownFigure(plain, DIGITS if is_long else 400, words, in_hexadecimal(value) if is_long else plain)


def maybe_shown(value: Fraction | None) -> ShownFigure | None:
    """The same; None stays None."""
    return None if value is None else shown(value)


def short_name(name: str) -> str:
    """A name for headings and titles: a codebook's list is cut."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 4]}…"
