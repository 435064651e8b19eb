"""Matrices drawn from a distribution, the same bit for bit on every machine.

Only operations that IEEE 754 rounds correctly are used (+ - * / and the square root, each a step of its own), and the
random bits of `app.codec.stochastic`: libraries differ in their logarithms and in the order of their draws.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from app.codec.stochastic import BITS, random_bits
from app.tasks.quantize_request import Distribution, DrawnMatrix

_LN2 = 0.6931471805599453
_TERMS = 13
"""Of the series of the logarithm: |s| is at most 0.172, so that its last term is below 2^-53 of the first."""
_OUTLIER_RUN, _OUTLIER_FACTOR = 64, 10.0


def draw(matrix: DrawnMatrix) -> Tensor:
    """float32 `[rows, columns]`."""
    count = matrix.rows * matrix.columns
    stream = _Stream(matrix.seed)
    match matrix.distribution:
        case Distribution.NORMAL:
            values = stream.normals(count)
        case Distribution.LAPLACE:
            signs = torch.where(stream.uniforms(count) < 0.5, -1.0, 1.0)
            values = signs * _logarithm(stream.uniforms(count)) / math.sqrt(2)
        case Distribution.STUDENT_T5:
            squares = sum(stream.normals(count).square() for _ in range(5))
            # t = z / sqrt(chi2 / 5) has variance 5/3.
            values = stream.normals(count) / (torch.as_tensor(squares) / 3).sqrt()
        case Distribution.UNIFORM:
            values = (stream.uniforms(count) * 2 - 1) * math.sqrt(3)
        case Distribution.OUTLIERS:
            values = stream.normals(count)
            runs = -(-count // _OUTLIER_RUN)
            places = torch.arange(runs) * _OUTLIER_RUN + stream.bits(runs) % _OUTLIER_RUN
            values[places[places < count]] *= _OUTLIER_FACTOR
    return values.to(torch.float32).view(matrix.rows, matrix.columns)


class _Stream:
    """Random numbers of one seed, each place used once."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._place = 0

    def bits(self, count: int) -> Tensor:
        """int64 from [0, 2^32)."""
        found = random_bits(self._seed, self._place, count)
        self._place += count
        return found

    def uniforms(self, count: int) -> Tensor:
        """float64 from (0, 1), never an end."""
        return (self.bits(count).to(torch.float64) + 0.5) * 2.0**-BITS

    def normals(self, count: int) -> Tensor:
        """float64, by the polar method (Marsaglia, 1964)."""
        return torch.cat(list(self._normal_parts(count)))

    def _normal_parts(self, count: int) -> Iterator[Tensor]:
        while count > 0:
            pairs = count // 2 + count // 4 + 8  # 0.785 of them lie within the circle
            x, y = self.uniforms(pairs) * 2 - 1, self.uniforms(pairs) * 2 - 1
            squares = x * x + y * y
            inside = squares < 1
            x, y, squares = x[inside], y[inside], squares[inside]
            factor = (_logarithm(squares) * -2 / squares).sqrt()
            found = torch.stack((x * factor, y * factor), dim=1).view(-1)[:count]
            count -= found.numel()
            yield found


def _logarithm(values: Tensor) -> Tensor:
    """The natural logarithm of positive numbers: 2 artanh(s), s = (m - 1) / (m + 1), and the exponent."""
    mantissas, exponents = torch.frexp(values)
    is_small = mantissas < math.sqrt(0.5)
    mantissas = torch.where(is_small, mantissas * 2, mantissas)
    exponents = exponents - is_small.to(exponents.dtype)
    s = (mantissas - 1) / (mantissas + 1)
    square = s * s
    series = torch.zeros_like(s)
    for term in reversed(range(_TERMS)):
        series = series * square
        series = series + 1 / (2 * term + 1)
    return exponents.to(torch.float64) * _LN2 + s * 2 * series
