"""Charts of one tensor: magnitudes by power of two, the entropy of every bit, the range of every channel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.web.pages.quantize_axes import BOTTOM, TOP, Plane, Tick, steps
from app.web.quantities import MINUS, number_text, share_text

SIZES = {"narrow": (352, 220), "wide": (536, 240)}
MOST_BARS = 220
_GAP = 0.6
"""Between two fields, in widths of a bit."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FIELD_CLASSES = {"sign": "sign", "exponent": "exponent", "mantissa": "mantissa"}


@dataclass(frozen=True, slots=True)
class ChartFrame:
    """Where the axes and their ticks lie."""

    size: str
    width: int
    height: int
    left: int
    right: int
    bottom: int
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class MagnitudeChart:
    """Counts by power of two as one path, in one size."""

    frame: ChartFrame
    path: str
    other: str
    """The same of another tensor, drawn as a line; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Magnitudes:
    """How many numbers lie in each binade."""

    charts: tuple[MagnitudeChart, ...]
    rows: tuple[tuple[str, str, str], ...]
    """From, up to and share, for the table; binades that hold something."""
    peak: str
    peak_share: str
    zeros: str
    subnormals: str


@dataclass(frozen=True, slots=True)
class BitBar:
    """The entropy of one bit, drawn to scale."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    """`sign`, `exponent`, `mantissa`, or `plain`."""


@dataclass(frozen=True, slots=True)
class FieldLabel:
    """The name of a field below its bars."""

    name: str
    x: float
    x_from: float
    x_to: float
    colour: str


@dataclass(frozen=True, slots=True)
class BitChart:
    """All bits in one size."""

    frame: ChartFrame
    bars: tuple[BitBar, ...]
    labels: tuple[FieldLabel, ...]


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One field in the table."""

    name: str
    colour: str
    width: int
    entropy: str
    is_joint: bool
    slack: str
    """Bits that carry nothing."""


@dataclass(frozen=True, slots=True)
class BitRowOfTable:
    """One bit in the table; positions count from the least significant bit."""

    position: int
    field: str
    colour: str
    ones: str
    entropy: str


@dataclass(frozen=True, slots=True)
class Bits:
    """The entropy of every bit."""

    charts: tuple[BitChart, ...]
    fields: tuple[FieldRow, ...]
    bits: tuple[BitRowOfTable, ...]
    width: int
    entropy: str
    headroom: str


@dataclass(frozen=True, slots=True)
class ChannelChart:
    """The band between the least and the largest number of each channel, in one size."""

    frame: ChartFrame
    band: str
    zero_at: float | None


@dataclass(frozen=True, slots=True)
class Channels:
    """The range of every channel."""

    charts: tuple[ChannelChart, ...]
    channels: int
    per_bin: int
    widest: str
    widest_reach: str
    median_reach: str
    rows: tuple[tuple[str, str, str], ...]


def power_text(exponent: int) -> str:
    """A power of two."""
    return f"2{str(exponent).translate(_SUPERSCRIPTS)}"


def magnitudes_of(document: Mapping[str, Any] | None, other: Mapping[str, Any] | None = None) -> Magnitudes | None:
    """The binades of an analysis; `other` is drawn over it."""
    if document is None or not document["counts"]:
        return None
    counts, lowest = list(document["counts"]), int(document["lowest"])
    total = sum(counts) + document["zeros"] + document["subnormals"]
    peak = max(range(len(counts)), key=counts.__getitem__)
    return Magnitudes(
        charts=tuple(_magnitude_chart(counts, lowest, other, size) for size in SIZES),
        rows=tuple(
            (power_text(lowest + place), power_text(lowest + place + 1), share_text(count, total))
            for place, count in enumerate(counts)
            if count
        ),
        peak=f"{power_text(lowest + peak)}–{power_text(lowest + peak + 1)}",
        peak_share=share_text(counts[peak], total),
        zeros=share_text(document["zeros"], total),
        subnormals=share_text(document["subnormals"], total),
    )


def _magnitude_chart(counts: Sequence[int], lowest: int, other: Mapping[str, Any] | None, size: str) -> MagnitudeChart:
    second = list(other["counts"]) if other else []
    second_lowest = int(other["lowest"]) if other and second else lowest
    low = min(lowest, second_lowest)
    high = max(lowest + len(counts), second_lowest + len(second))
    together = max(-(-(high - low) // MOST_BARS), 1)
    bars = _gathered(counts, lowest - low, high - low, together)
    others = _gathered(second, second_lowest - low, high - low, together) if second else []
    most = max([*bars, *others])
    width, height = SIZES[size]
    plane = Plane(width, height, low, low + len(bars) * together, 0, most)
    total = sum(counts)
    frame = _frame(size, plane, _power_ticks(plane), _share_ticks(plane, most, total))
    return MagnitudeChart(frame, _steps_path(bars, low, together, plane), _line(others, low, together, plane))


def _gathered(counts: Sequence[int], before: int, length: int, together: int) -> list[int]:
    bars = [0] * -(-length // together)
    for place, count in enumerate(counts):
        bars[(before + place) // together] += count
    return bars


def _steps_path(bars: Sequence[int], low: int, together: int, plane: Plane) -> str:
    path = [f"M{plane.x(low)} {plane.bottom}"]
    for place, bar in enumerate(bars):
        top = min(plane.y(bar), plane.bottom - 1) if bar else plane.bottom
        path.append(f"V{top}H{plane.x(low + (place + 1) * together)}")
    return "".join([*path, f"V{plane.bottom}Z"])


def _line(bars: Sequence[int], low: int, together: int, plane: Plane) -> str:
    return _steps_path(bars, low, together, plane).removesuffix("Z") if bars else ""


def _power_ticks(plane: Plane) -> tuple[Tick, ...]:
    room = (plane.right - plane.x(plane.x_low)) / 48
    whole = [round(value) for value in steps(plane.x_low, plane.x_high, max(int(room), 2))]
    return tuple(Tick(plane.x(value), f"2^{value}".replace("-", MINUS)) for value in dict.fromkeys(whole))


def _share_ticks(plane: Plane, most: int, total: int) -> tuple[Tick, ...]:
    shares = steps(0, 100 * most / total, 4)
    return tuple(Tick(plane.y(share * total / 100), f"{share:g}\u202f%") for share in shares)


def _frame(size: str, plane: Plane, x_ticks: tuple[Tick, ...], y_ticks: tuple[Tick, ...]) -> ChartFrame:
    left = round(plane.x(plane.x_low))
    return ChartFrame(size, plane.width, plane.height, left, plane.right, plane.bottom, x_ticks, y_ticks)


def bits_of(document: Mapping[str, Any] | None) -> Bits | None:
    """The bit entropies of an analysis."""
    if document is None or not document["count"]:
        return None
    fields = document["fields"]
    width = len(document["ones"])
    owners = [field["name"] for field in fields for _ in range(field["width"])]
    return Bits(
        charts=tuple(_bit_chart(document["entropies"], fields, size) for size in SIZES),
        fields=tuple(
            FieldRow(
                name=field["name"],
                colour=_colour(field["name"]),
                width=field["width"],
                entropy=_bits_text(field["entropy"]),
                is_joint=field["is_joint"],
                slack=_bits_text(max(field["width"] - field["entropy"], 0.0)),
            )
            for field in fields
        ),
        bits=tuple(
            BitRowOfTable(
                position=width - 1 - place,
                field=owners[place],
                colour=_colour(owners[place]),
                ones=share_text(document["ones"][place], document["count"]),
                entropy=f"{document['entropies'][place]:.4f}",
            )
            for place in range(width)
        ),
        width=width,
        entropy=_bits_text(document["entropy"]),
        headroom=_percent(document["headroom"]),
    )


def _bit_chart(entropies: Sequence[float], fields: Sequence[Mapping[str, Any]], size: str) -> BitChart:
    width, height = SIZES[size]
    span = len(entropies) + _GAP * (len(fields) - 1)
    plane = Plane(width, height, 0, span, 0, 1)
    step = (plane.right - plane.x(0)) / span
    bars, labels = [], []
    x, place = 0.0, 0
    for field in fields:
        colour = _colour(field["name"])
        start = x
        for _ in range(field["width"]):
            top = plane.y(entropies[place])
            inner = step * 0.86 if step > 4 else step
            bars.append(BitBar(plane.x(x), top, round(inner, 2), round(plane.bottom - top, 1), colour))
            x, place = x + 1, place + 1
        middle = round((plane.x(start) + plane.x(x)) / 2, 1)
        labels.append(FieldLabel(field["name"], middle, plane.x(start), round(plane.x(x) - step * 0.14, 1), colour))
        x += _GAP
    ticks = tuple(Tick(plane.y(value), f"{value:g}") for value in (0, 0.5, 1))
    return BitChart(_frame(size, plane, (), ticks), tuple(bars), _apart(labels))


def _apart(labels: Sequence[FieldLabel]) -> tuple[FieldLabel, ...]:
    """The sign has one bit and a word wider than it: its label begins at its left edge, so the next is moved on."""
    placed: list[FieldLabel] = []
    for label in labels:
        half = len(label.name) * 4
        least = placed[-1].x + len(placed[-1].name) * 4 + half + 8 if placed else label.x_from + half - 8
        placed.append(FieldLabel(label.name, max(label.x, round(least, 1)), label.x_from, label.x_to, label.colour))
    return tuple(placed)


def _colour(field: str) -> str:
    return FIELD_CLASSES.get(field, "plain")


def _bits_text(bits: float) -> str:
    return f"{bits:.2f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}\u202f%"


def channels_of(document: Mapping[str, Any] | None) -> Channels | None:
    """The channel ranges of an analysis; None where there is one channel, or no number."""
    if document is None or document["channels"] < 2:
        return None
    low, high, per_bin = document["min"], document["max"], document["per_bin"]
    known = [(place, low[place], high[place]) for place in range(len(low)) if low[place] is not None]
    if not known:
        return None
    reaches = sorted(max(abs(least), abs(most)) for _, least, most in known)
    widest = max(known, key=lambda each: max(abs(each[1]), abs(each[2])))

    def name(place: int) -> str:
        first = place * per_bin
        last = min(first + per_bin, document["channels"]) - 1
        return str(first) if first == last else f"{first}–{last}"

    return Channels(
        charts=tuple(_channel_chart(known, document["channels"], per_bin, size) for size in SIZES),
        channels=document["channels"],
        per_bin=per_bin,
        widest=name(widest[0]),
        widest_reach=number_text(reaches[-1]),
        median_reach=number_text(reaches[len(reaches) // 2]),
        rows=tuple((name(place), number_text(least), number_text(most)) for place, least, most in known),
    )


def _channel_chart(known: Sequence[tuple[int, float, float]], channels: int, per_bin: int, size: str) -> ChannelChart:
    width, height = SIZES[size]
    least, most = min(low for _, low, _ in known), max(high for _, _, high in known)
    # Halves keep the width of the whole range of float64 finite.
    room = (most / 2 - least / 2) / 10 or abs(most) / 10 or 1.0
    plane = Plane(width, height, 0, channels, _within(least - room), _within(most + room))
    upper, lower = [], []
    for place, low, high in known:
        left, right = plane.x(place * per_bin), plane.x(min((place + 1) * per_bin, channels))
        top, bottom = _y(plane, high), _y(plane, low)
        bottom = max(bottom, top + 1)
        upper.append(f"{left} {top} {right} {top}")
        lower.append(f"{right} {bottom} {left} {bottom}")
    band = f"M{' '.join(upper)} {' '.join(reversed(lower))}Z"
    x_ticks = tuple(Tick(plane.x(value), f"{value:g}") for value in steps(0, channels, 5) if value == int(value))
    zero_at = _y(plane, 0) if least < 0 < most else None
    return ChannelChart(_frame(size, plane, x_ticks, _value_ticks(plane)), band, zero_at)


def _within(value: float) -> float:
    return max(min(value, 8e307), -8e307)


def _y(plane: Plane, value: float) -> float:
    share = (value / 2 - plane.y_low / 2) / (plane.y_high / 2 - plane.y_low / 2)
    return round(plane.bottom - min(max(share, 0.0), 1.0) * (plane.height - BOTTOM - TOP), 1)


def _value_ticks(plane: Plane) -> tuple[Tick, ...]:
    if plane.y_high - plane.y_low < 1e-300:
        return ()
    values = steps(plane.y_low, plane.y_high, 4)
    return tuple(Tick(_y(plane, value), _short(value)) for value in values)


def _short(value: float) -> str:
    text = f"{value:.3g}"
    if "e" not in text:
        return text.replace("-", MINUS)
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa.replace('-', MINUS)}e{int(exponent)}"
