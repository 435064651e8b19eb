"""Figures as a reader likes them: sizes, counts, shares, decibels; a true minus, powers of ten as superscripts."""

import math

NARROW_SPACE = "\u202f"
MINUS = "\u2212"
INFINITIES = {"inf": "∞", "-inf": f"{MINUS}∞"}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def size_text(size: float) -> str:
    """A number of bytes in decimal units, three figures."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    digits = f"{value:.0f}" if unit == "B" or value >= 99.95 else f"{value:.3g}"
    return f"{digits}{NARROW_SPACE}{unit}"


def count_text(count: int) -> str:
    """A whole number, its digits in groups of three from ten thousand on."""
    text = f"{abs(count):,}".replace(",", NARROW_SPACE) if abs(count) >= 10_000 else str(abs(count))
    return (MINUS if count < 0 else "") + text


def number_text(value: float | str | None, figures: int = 4) -> str:
    """A measured number with a few significant figures; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return INFINITIES.get(value, value)
    if isinstance(value, int) and abs(value) < 10**9:
        return count_text(value)
    if value == 0:
        return "0"
    sign = MINUS if value < 0 else ""
    magnitude = abs(float(value))
    exponent = math.floor(math.log10(magnitude))
    if -4 <= exponent < 6:
        return sign + f"{magnitude:.{figures}g}" if exponent < figures else sign + f"{magnitude:.0f}"
    mantissa, _, power = f"{magnitude:.{figures - 1}e}".partition("e")
    return f"{sign}{mantissa}{NARROW_SPACE}×{NARROW_SPACE}10{str(int(power)).translate(_SUPERSCRIPTS)}"


def share_text(part: int, whole: int) -> str:
    """A part in per cent; what is there is never shown as 0, and what is missing never as 100."""
    if part == 0 or whole == 0:
        return "0"
    percent = 100 * part / whole
    if percent < 0.01:
        return f"<{NARROW_SPACE}0.01{NARROW_SPACE}%"
    if part < whole and percent > 99.9:
        return f">{NARROW_SPACE}99.9{NARROW_SPACE}%"
    return f"{percent:.3g}{NARROW_SPACE}%"


def decibel_text(value: float | str | None) -> str:
    """A signal-to-noise ratio; infinite where nothing was lost."""
    if value is None:
        return "–"
    if str(value) in INFINITIES:
        return f"{INFINITIES[str(value)]}{NARROW_SPACE}dB"
    text = f"{abs(float(value)):.1f}"
    return (MINUS if float(value) < 0 else "") + f"{text}{NARROW_SPACE}dB"


def shape_text(shape: list[int]) -> str:
    """`384 × 384`; nothing for a scalar, which has no extent."""
    return f"{NARROW_SPACE}×{NARROW_SPACE}".join(str(extent) for extent in shape)


def duration_text(seconds: float) -> str:
    """Minutes and seconds, `m:ss`."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
