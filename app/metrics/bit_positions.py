"""How much each bit of stored numbers tells: ones and entropy of every position, and of whole fields where counted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.metrics.code_counts import CodeCounts, Counts

FieldWidths = Sequence[tuple[str, int]]
"""Names and widths of fields, the most significant one first."""


@dataclass(frozen=True, slots=True)
class FieldEntropy:
    """Bits for each element: of the field as a whole where `is_joint`, else the sum over its bits, an upper bound."""

    name: str
    width: int
    entropy: float
    is_joint: bool


@dataclass(frozen=True, slots=True)
class BitPositions:
    """The most significant bit first."""

    count: int
    ones: tuple[int, ...]
    entropies: tuple[float, ...]
    """Of each bit by itself: 0 where it never changes, 1 where it is as often set as not."""
    fields: tuple[FieldEntropy, ...]
    entropy: float
    """Of a whole code: exact up to 16 bits, else the sum over the fields, which no coder of fields gets below."""

    @property
    def headroom(self) -> float:
        """What part of the stored bits a lossless coder of single elements could save."""
        return max(0.0, 1 - self.entropy / len(self.ones)) if self.ones and self.count else 0.0


def bit_positions(counts: CodeCounts, fields: FieldWidths) -> BitPositions:
    """The entropies of counted codes; `fields` cover the whole width, else the code is one field `integer`."""
    total, ones = counts.total, counts.ones()
    entropies = tuple(_entropy_of_counts((set_, total - set_), total) for set_ in ones)
    widths = tuple(fields) if sum(width for _, width in fields) == counts.width else (("integer", counts.width),)
    found, start = [], 0
    for name, width in widths:
        found.append(_field(counts, name, start, width, entropies))
        start += width
    is_whole = counts.width <= counts.top_bits
    entropy = entropy_of(counts.pieces[0]) if is_whole else math.fsum(field.entropy for field in found)
    return BitPositions(total, ones, entropies, tuple(found), entropy)


def _field(counts: CodeCounts, name: str, start: int, width: int, entropies: tuple[float, ...]) -> FieldEntropy:
    if start + width > counts.top_bits:
        return FieldEntropy(name, width, math.fsum(entropies[start : start + width]), is_joint=width == 1)
    above, below = 1 << start, 1 << (counts.top_bits - start - width)
    joint = counts.pieces[0].reshape(above, 1 << width, below).sum(axis=(0, 2))
    return FieldEntropy(name, width, entropy_of(joint), is_joint=True)


def entropy_of(counts: Counts) -> float:
    """-sum p log2 p of counts, in bits; 0 where nothing was counted."""
    used = counts[counts > 0]
    return _entropy_of_counts(used.tolist(), int(used.sum()))


def _entropy_of_counts(counts: Sequence[int], total: int) -> float:
    if not total:
        return 0.0
    shares = np.array([count / total for count in counts if count])
    return max(0.0, -math.fsum((shares * np.log2(shares)).tolist()))
