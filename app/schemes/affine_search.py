"""The plain torch search for scale and offset of each block of affine integers; a kernel finds the same, faster.

Every pair that is chosen is one that the layout stores, and its error is that of the numbers that come back.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from app.schemes.affine_arithmetic import block_ends, last_integer
from app.schemes.affine_pairs import AffinePairs, MinimumPairs, Pair, Sums, ZeroPointPairs
from app.schemes.ordered_sums import ordered_sum
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, ScaleRule

_CHUNK = 1 << 17
"""Elements that are looked at together, so that the few copies of them stay in the cache."""
_ROWS = 1 << 11
"""Blocks that are looked at together at most: each has over a thousand starts."""
_PIECE = 1 << 14
"""Columns of a long block that are summed before the next are looked at."""
_FIRST_SHARE = -0.05
"""Of a block's range, what is cut off at each end: from a little less than nothing ..."""
_USUAL_SHARE = {1: 0.48, 2: 0.32, 3: 0.16, 4: 0.08, 5: 0.045, 6: 0.02, 7: 0.01, 8: 0.005}
"""... up to this, by bits, in blocks of a few hundred ..."""
_TAIL = (1.6, 2.4, 3.4, 4.6)
"""... and with outliers, as many times as much."""
_LONG_SHARE = {1: 0.48, 2: 0.46, 3: 0.42, 4: 0.4, 5: 0.27, 6: 0.14, 7: 0.07, 8: 0.04}
"""In long blocks from nothing to this."""
_STARTS = {1: 10, 2: 10, 3: 10, 4: 14, 5: 18, 6: 24, 7: 28, 8: 32}
"""In how many steps, by bits: the more levels, the more the error depends on where a few numbers fall ..."""
_LONG_STARTS, _LONG = 10, 1024
"""... but not in blocks of so many numbers."""
_DEVIATIONS = (0.9, 1.2, 1.55, 1.95, 2.4, 2.9, 3.5, 4.2, 5.2, 6.5)
"""There ends are also tried so many standard deviations from the mean: outliers make shares of the range too coarse."""
_LARGEST_CUT = 0.9
_REFINED = 4
"""How many of the best starts least squares goes on from."""
_ROUNDS = 3
"""How often it does."""


def find_affine(
    blocks: Tensor,
    bits: int,
    scale_format: ScaleFormat,
    minimum_format: ScaleFormat,
    choices: Choices,
    weights: Tensor | None = None,
) -> Pair:
    """Scale and minimum for each row of `blocks`, float32 `[blocks]` each, storable; NaN in blocks is no element.

    Value = integer * scale + minimum. Scales are positive. `weights`, of the shape of `blocks`, multiply squared errors
    in `ScaleRule.MSE`. Where the minimum is all of a block, the scale is 1 or the storable number nearest to it.
    """
    return find_pairs(blocks, MinimumPairs(bits, _for_bits(scale_format, bits), minimum_format), choices, weights)


def find_with_zero_point(
    blocks: Tensor, bits: int, scale_format: ScaleFormat, choices: Choices, weights: Tensor | None = None
) -> Pair:
    """Like `find_affine`, for value = (integer - zero point) * scale: scales and zero points, whole float32."""
    return find_pairs(blocks, ZeroPointPairs(bits, _for_bits(scale_format, bits)), choices, weights)


def _for_bits(scale_format: ScaleFormat, bits: int) -> ScaleFormat:
    return scale_format.for_levels(last_integer(bits))


def find_pairs(blocks: Tensor, pairs: AffinePairs, choices: Choices, weights: Tensor | None = None) -> Pair:
    """Scale and offset for each row of `blocks`: see `find_affine`."""
    rows = max(1, min(_CHUNK // blocks.shape[1], _ROWS))
    found = []
    for start in range(0, len(blocks), rows):
        part = slice(start, start + rows)
        search = AffineSearch.of(blocks[part], pairs, None if weights is None else weights[part])
        ends = block_ends(blocks[part], choices)
        found.append(search.least_error(*ends) if choices.scale is ScaleRule.MSE else pairs.between(*ends))
    scales, offsets = zip(*found, strict=True)
    return torch.cat(scales), torch.cat(offsets)


@dataclass(frozen=True, slots=True)
class AffineSearch:
    """Blocks whose pairs are compared."""

    values: Tensor
    """Zeros in place of NaN."""
    pairs: AffinePairs
    weights: Tensor | None
    """float64; zeros where there is no element."""

    @classmethod
    def of(cls, blocks: Tensor, pairs: AffinePairs, weights: Tensor | None = None) -> "AffineSearch":
        """For blocks and weights as `find_affine` takes them."""
        is_missing = blocks.isnan()
        if weights is not None or bool(is_missing.any()):
            known = torch.ones_like(blocks) if weights is None else weights
            weights = torch.where(is_missing, 0.0, known).to(torch.float64)
        return cls(blocks.nan_to_num(0.0), pairs, weights)

    def error(self, scales: Tensor, offsets: Tensor) -> Tensor:
        """The squared error of each block in float64."""
        total = torch.zeros(len(scales), dtype=torch.float64, device=scales.device)
        pair = scales[:, None], offsets[:, None]
        for values, weights in self._pieces():
            decoded = self.pairs.decode(self.pairs.encode(values, *pair), *pair)
            squares = (values - decoded).to(torch.float64).square_()
            total += ordered_sum(squares if weights is None else squares.mul_(weights))
        return total

    def least_error(self, low: Tensor, high: Tensor) -> Pair:
        """The best of what the best starts come to; ends as `block_ends` gives them."""
        pair = self.pairs.between(low, high)
        best = _Best(*pair, self.error(*pair))
        all_scales, all_offsets = self._starts(low, high)
        errors = self._scan(low, high, all_scales, all_offsets)
        for place in _least_places(errors, _REFINED):
            scales, offsets = all_scales.gather(0, place)[0], all_offsets.gather(0, place)[0]
            best = best.or_better(scales, offsets, self.error(scales, offsets))
            for _ in range(_ROUNDS):
                fitted = self.pairs.fitted(self._sums(scales, offsets), scales, offsets)
                first, second = (_Best(*each, self.error(*each)) for each in fitted)
                nearer = first.or_better(second.scales, second.offsets, second.error)
                best = best.or_better(nearer.scales, nearer.offsets, nearer.error)
                scales, offsets = nearer.scales, nearer.offsets
        return best.scales, best.offsets

    def _pieces(self) -> Iterator[tuple[Tensor, Tensor | None]]:
        for start in range(0, self.values.shape[1], _PIECE):
            part = slice(start, start + _PIECE)
            yield self.values[:, part], None if self.weights is None else self.weights[:, part]

    def _scan(self, low: Tensor, high: Tensor, scales: Tensor, offsets: Tensor) -> Tensor:
        """The errors of starts in float32, `[starts, blocks]`; blocks are multiplied by powers of two first."""
        reach = torch.maximum(low.abs(), high.abs()).to(torch.float32)
        shift = torch.ldexp(torch.ones_like(reach), -torch.frexp(reach).exponent.clamp(-126, 126))
        scales, offsets = self.pairs.shifted(scales, offsets, shift)
        errors, together = torch.zeros_like(scales), max(1, _CHUNK // self.values.numel())
        for values, weights in self._pieces():
            near, weight = values * shift[:, None], None if weights is None else weights.to(torch.float32)
            for first in range(0, len(scales), together):
                part = slice(first, first + together)
                pair = scales[part, :, None], offsets[part, :, None]
                squares = self.pairs.decode(self.pairs.encode(near, *pair), *pair).sub_(near).square_()
                errors[part] += ordered_sum(squares if weight is None else squares.mul_(weight))
        return errors

    def _starts(self, low: Tensor, high: Tensor) -> Pair:
        """Scales and offsets, `[starts, blocks]`."""
        width, shares = high - low, self._shares()
        cuts = [(below, above) for below in shares for above in shares if below + above < _LARGEST_CUT]
        below, above = torch.tensor(cuts, dtype=torch.float64, device=low.device).t()[:, :, None]
        found = [self.pairs.between(low + width * below, high - width * above)]
        if self.values.shape[1] >= _LONG:
            mean, deviation = self._spread()
            every = torch.tensor(_DEVIATIONS, dtype=torch.float64, device=low.device)
            below, above = (each[:, None] for each in torch.cartesian_prod(every, every).t())
            start, end = torch.maximum(mean - below * deviation, low), torch.minimum(mean + above * deviation, high)
            found.append(self.pairs.between(start, end))
        more = [torch.stack(each) for each in zip(*self.pairs.starts(low, high), strict=True)]
        return torch.cat([more[0], *(each[0] for each in found)]), torch.cat([more[1], *(each[1] for each in found)])

    def _spread(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each block by weight."""
        zeros = torch.zeros(len(self.values), dtype=torch.float64, device=self.values.device)
        count, total, squares = zeros, zeros, zeros
        for values, weights in self._pieces():
            exact = values.to(torch.float64)
            ones = torch.ones_like(exact) if weights is None else weights
            count, total = count + ordered_sum(ones), total + ordered_sum(exact * ones)
            squares = squares + ordered_sum(exact * exact * ones)
        count = torch.where(count > 0, count, 1.0)
        mean = total / count
        return mean, (squares / count - mean * mean).clamp_(min=0).sqrt()

    def _shares(self) -> list[float]:
        bits = self.pairs.bits
        if self.values.shape[1] >= _LONG:
            return [_LONG_SHARE[bits] * index / (_LONG_STARTS - 1) for index in range(_LONG_STARTS)]
        usual, count = _USUAL_SHARE[bits], _STARTS[bits]
        step = (usual - _FIRST_SHARE) / (count - 1)
        return [*(_FIRST_SHARE + step * index for index in range(count)), *(usual * each for each in _TAIL)]

    def _sums(self, scales: Tensor, offsets: Tensor) -> Sums:
        sums = [torch.zeros(len(scales), dtype=torch.float64, device=scales.device) for _ in range(5)]
        for values, weights in self._pieces():
            codes = self.pairs.encode(values, scales[:, None], offsets[:, None]).to(torch.float64)
            exact = values.to(torch.float64)
            ones = torch.ones_like(exact) if weights is None else weights
            weighted = codes * ones
            terms = (ones, weighted, weighted * codes, exact * ones, weighted * exact)
            sums = [total + ordered_sum(each) for total, each in zip(sums, terms, strict=True)]
        return Sums(*sums)


def _least_places(errors: Tensor, count: int) -> Iterator[Tensor]:
    """Where the least error of each column is, the second least and so on, `[1, columns]`; of equal ones the first."""
    largest = torch.finfo(errors.dtype).max
    left = errors.nan_to_num(largest, posinf=largest)  # what was found is infinite, and nothing else
    for _ in range(min(count, len(errors))):
        place = left.argmin(dim=0, keepdim=True)
        yield place
        left.scatter_(0, place, torch.inf)


@dataclass(frozen=True, slots=True)
class _Best:
    scales: Tensor
    offsets: Tensor
    error: Tensor

    def or_better(self, scales: Tensor, offsets: Tensor, error: Tensor) -> "_Best":
        """Where an error is less, that pair."""
        is_less = error < self.error
        return _Best(
            torch.where(is_less, scales, self.scales),
            torch.where(is_less, offsets, self.offsets),
            torch.where(is_less, error, self.error),
        )
