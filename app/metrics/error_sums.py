"""How far stored numbers lie from the original ones: SQNR, mean squared and largest error, cosine similarity."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from app.metrics.blocks import SMALLEST_SQUARES, block_buffer, blocks


@dataclass(frozen=True, slots=True)
class ErrorFigures:
    """The figures of one tensor; None where a figure is undefined, infinity where the error is infinite.

    SQNR is 10 log10(sum x^2 / sum (x - y)^2): infinite without error. Without error the cosine is 1 by definition,
    also for a tensor of zeros.
    """

    sqnr_db: float | None
    mse: float | None
    max_abs_error: float
    cosine: float | None

    def to_json(self) -> dict[str, float | str | None]:
        """Infinities as `"inf"` and `"-inf"`, for JSON has none."""
        return {
            "sqnr_db": json_number(self.sqnr_db),
            "mse": json_number(self.mse),
            "max_abs_error": json_number(self.max_abs_error),
            "cosine": self.cosine,
        }


NO_ERROR = ErrorFigures(math.inf, 0.0, 0.0, 1.0)
"""Of a tensor that is the same bit for bit."""


def json_number(value: float | None) -> float | str | None:
    """A figure as JSON has it: infinities as `"inf"` and `"-inf"`."""
    return value if value is None or math.isfinite(value) else str(value)


@dataclass(frozen=True, slots=True)
class PairSums:
    """Sums over pairs of numbers, original x and restored y: what figures are made of. Sums of neighbours add up.

    NaN and infinity as in `ErrorSums`. Sums beyond float64 are NaN.
    """

    elements: int
    """How many pairs there were."""
    count: int
    """Without those that were left out."""
    original_squares: float
    restored_squares: float
    products: float
    error_squares: float
    max_error: float
    max_place: int | None = None
    """The index of the largest error among the pairs, the first of equal ones; None without error."""

    def __add__(self, behind: "PairSums") -> "PairSums":
        """Of both, one behind the other: places in the second begin after the first."""
        is_behind = behind.max_error > self.max_error
        place = self.max_place
        if is_behind and behind.max_place is not None:
            place = self.elements + behind.max_place
        return PairSums(
            self.elements + behind.elements,
            self.count + behind.count,
            self.original_squares + behind.original_squares,
            self.restored_squares + behind.restored_squares,
            self.products + behind.products,
            self.error_squares + behind.error_squares,
            max(self.max_error, behind.max_error),
            place,
        )

    def figures(self) -> ErrorFigures:
        """The figures of these sums."""
        if self.max_error == 0:
            return NO_ERROR
        if math.isinf(self.max_error):
            return ErrorFigures(-math.inf, math.inf, math.inf, None)
        if not self.error_squares >= SMALLEST_SQUARES:
            # Out of float64's range on either side: the largest error is known, sums of squares are not.
            return ErrorFigures(None, None, self.max_error, None)
        return ErrorFigures(self._sqnr_db(), self.error_squares / self.count, self.max_error, self._cosine())

    def _sqnr_db(self) -> float:
        if self.original_squares == 0:
            return -math.inf
        return 10 * (math.log10(self.original_squares) - math.log10(self.error_squares))

    def _cosine(self) -> float | None:
        lengths = math.sqrt(self.original_squares) * math.sqrt(self.restored_squares)
        return max(-1.0, min(1.0, self.products / lengths)) if lengths else None


NO_PAIRS = PairSums(0, 0, 0.0, 0.0, 0.0, 0.0, 0.0)
"""To add others to."""


class ErrorSums:
    """Sums over pairs of blocks, original and restored.

    Where the original is NaN or infinite and the restored number is the same, the pair is left out; where only one of
    the two is finite, or they differ, the error is infinite.
    """

    def __init__(self) -> None:
        self._original = block_buffer()
        self._restored = block_buffer()
        self._count = 0
        self._original_squares = 0.0
        self._restored_squares = 0.0
        self._products = 0.0
        self._error_squares = 0.0
        self._max_error = 0.0

    def add(self, original: Tensor, restored: Tensor) -> None:
        """Counts two contiguous tensors of as many elements, of any dtypes that torch converts to float64."""
        for original_block, restored_block in zip(blocks(original), blocks(restored), strict=True):
            count = original_block.numel()
            x = self._original[:count].copy_(original_block)
            y = self._restored[:count].copy_(restored_block)
            if not self._add_finite(x, y):
                self._add_others(x, self._restored[:count].copy_(restored_block))

    def _add_finite(self, x: Tensor, y: Tensor) -> bool:
        """Adds a block and overwrites `y`; False, with nothing added, if it holds NaN or infinity."""
        original_squares = float(torch.dot(x, x))
        restored_squares = float(torch.dot(y, y))
        products = float(torch.dot(x, y))
        y.sub_(x)
        error_squares = float(torch.dot(y, y))
        low, high = torch.aminmax(y)
        max_error = max(-float(low), float(high))
        # A NaN in any place makes this sum NaN; an infinity makes it infinite, or NaN.
        if not math.isfinite(original_squares + restored_squares + max_error):
            return False
        self._count += x.numel()
        self._original_squares += original_squares
        self._restored_squares += restored_squares
        self._products += products
        self._error_squares += error_squares
        self._max_error = max(self._max_error, max_error)
        return True

    def _add_others(self, x: Tensor, y: Tensor) -> None:
        both_finite = torch.isfinite(x) & torch.isfinite(y)
        carried = ~both_finite & ((x == y) | (torch.isnan(x) & torch.isnan(y)))
        if not bool((both_finite | carried).all()):
            self._max_error = math.inf
            self._count += int((~both_finite & ~carried).sum())
        x, y = x[both_finite], y[both_finite]
        if x.numel() and not self._add_finite(x, y):
            # Finite numbers whose squares pass the range of float64.
            self._count += x.numel()
            self._original_squares = self._error_squares = math.nan
            self._max_error = max(self._max_error, float(y.abs().max()))

    def add_sums(self, sums: PairSums) -> None:
        """Counts pairs that were added up elsewhere."""
        self._count += sums.count
        self._original_squares += sums.original_squares
        self._restored_squares += sums.restored_squares
        self._products += sums.products
        self._error_squares += sums.error_squares
        self._max_error = max(self._max_error, sums.max_error)

    def sums(self) -> PairSums:
        """Of all that was added; it is not known where the largest error is."""
        return PairSums(
            self._count,
            self._count,
            self._original_squares,
            self._restored_squares,
            self._products,
            self._error_squares,
            self._max_error,
        )

    def figures(self) -> ErrorFigures:
        """The figures of all that was added."""
        return self.sums().figures()
