"""What a scheme is: a matrix in, codes and scales out, and back; frozen values and pure functions only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import prod
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Tensor

from app.errors import InvalidInput


class ScaleRule(StrEnum):
    """How the scale of a block is found."""

    ABSMAX = "absmax"
    """The largest magnitude goes to the grid's end."""
    PERCENTILE = "percentile"
    """That percentile of the magnitudes goes there; what is beyond is clipped."""
    MSE = "mse"
    """The scale with the least squared error: one fixed search for each scheme, the same bytes on every machine."""


@dataclass(frozen=True, slots=True)
class Choices:
    """How to quantize; nothing here changes how the result is read back."""

    scale: ScaleRule = ScaleRule.MSE
    percentile: float = 99.9
    """Of 100, for `ScaleRule.PERCENTILE`."""
    signed_scales: bool = False
    """Whether a scale may be negative where its owner's own tool never writes that, though its readers multiply."""
    seed: int | None = None
    """Codes are rounded stochastically with this seed, up or down to the next level; None: to the nearest level."""
    importance: Tensor | None = None
    """float32 `[columns]`, not negative: the weight of each column's squared errors in `ScaleRule.MSE`."""
    threads: int | None = None
    """How many threads work; torch's number by default. The bytes do not depend on it."""


_NOTHING: Mapping[str, Tensor] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class QuantizedTensor:
    """A matrix as its layout stores it: every tensor here is what a file holds, byte for byte."""

    shape: tuple[int, int]
    codes: Tensor
    """Packed codes, uint8 or int32 words as the layout has them; whole blocks for layouts with scales among codes."""
    scales: Tensor | None = None
    zero_points: Tensor | None = None
    """Or minima, where the layout adds a minimum to code * scale."""
    others: Mapping[str, Tensor] = field(default_factory=lambda: _NOTHING)
    """Scales of scales and the like, by the layout's name for them."""

    @property
    def stored_bytes(self) -> int:
        """The bytes of all that is stored."""
        tensors = [self.codes, self.scales, self.zero_points, *self.others.values()]
        return sum(each.numel() * each.element_size() for each in tensors if each is not None)


@dataclass(frozen=True, slots=True)
class Elements:
    """A quantized matrix taken apart for looking at: value = level * scale + offset, each `[rows, columns]`."""

    codes: Tensor
    """The bits of each code as int64, as the layout writes them."""
    levels: Tensor
    """float32: what the code stands for before scaling."""
    scales: Tensor
    """float32, all factors multiplied."""
    offsets: Tensor | None = None
    """float32; None where nothing is added."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The bits that a matrix of a shape takes, by what they are for."""

    weights: int
    """How many numbers are stored."""
    codes: int
    scales: int = 0
    zero_points: int = 0
    """Or minima."""
    others: int = 0
    padding: int = 0
    """Bits of codes that stand for nothing: the rest of the last word, or of a last block that is not full."""

    @property
    def total(self) -> int:
        """All bits."""
        return self.codes + self.scales + self.zero_points + self.others + self.padding

    @property
    def bits_per_weight(self) -> Fraction:
        """All bits over the numbers."""
        return Fraction(self.total, self.weights) if self.weights else Fraction(0)


class Scheme(Protocol):
    """One way to store a matrix in fewer bits.

    `values` are float32, contiguous, `[rows, columns]` and finite (`check_values`); blocks lie along the columns unless
    the scheme says otherwise. Nothing is changed; equal arguments give equal bytes.
    """

    @property
    def name(self) -> str:
        """As pages, commands and JSON call it."""
        ...

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """The matrix as the layout stores it."""
        ...

    def dequantize(self, stored: QuantizedTensor) -> Tensor:
        """float32 `[rows, columns]`: what readers of the layout get."""
        ...

    def elements(self, stored: QuantizedTensor) -> Elements:
        """Codes, levels and scales of every number."""
        ...

    def storage(self, shape: tuple[int, int]) -> Storage:
        """What a matrix of that shape takes.

        Raises:
            InvalidInput: `scheme.row-length`, where the layout cannot hold rows of that length.
        """
        ...


def check_values(values: Tensor, choices: Choices) -> None:
    """Refuses what no scheme takes.

    Raises:
        InvalidInput: `scheme.not-finite`, with how many and where the first is; `scheme.importance`, of another length,
            negative or not finite; `scheme.empty`.
    """
    assert values.dim() == 2, "schemes take matrices"
    assert values.dtype == torch.float32, "schemes read float32"
    assert values.is_contiguous(), "schemes read plain memory"
    if not prod(values.shape):
        raise InvalidInput("scheme.empty")
    low, high = torch.aminmax(values)
    if not (torch.isfinite(low) and torch.isfinite(high)):
        wrong = ~torch.isfinite(values)
        row, column = wrong.nonzero()[0].tolist()
        raise InvalidInput("scheme.not-finite", count=int(wrong.sum()), row=row + 1, column=column + 1)
    if choices.importance is not None:
        _check_importance(choices.importance, values.shape[1])


def _check_importance(importance: Tensor, columns: int) -> None:
    is_right = importance.shape == (columns,) and bool((importance >= 0).all() & torch.isfinite(importance).all())
    if not is_right:
        raise InvalidInput("scheme.importance", columns=columns)
