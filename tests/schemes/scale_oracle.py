"""The least squared error of blocks by brute force: blocks of all kinds, and every scale that could be stored."""

from collections.abc import Iterator

import torch
from torch import Tensor

from app.schemes.grids import Grid
from app.schemes.scale_formats import ScaleFormat, every_number

KINDS = ("gaussian", "laplace", "student", "outliers", "constant", "one-hot", "few", "tiny", "huge", "ramp")


def blocks_of(kind: str, count: int, size: int, seed: int = 0) -> Tensor:
    """float32 `[count, size]` of one distribution, each block with a scale of its own."""
    random = torch.Generator().manual_seed(seed * 1000 + KINDS.index(kind))
    normal = torch.randn(count, size, generator=random, dtype=torch.float64)
    spread = torch.exp(0.7 * torch.randn(count, 1, generator=random, dtype=torch.float64)) * 0.02
    match kind:
        case "laplace":
            uniform = torch.rand(count, size, generator=random, dtype=torch.float64) - 0.5
            normal = uniform.sign() * -torch.log1p(-2 * uniform.abs())
        case "student":
            others = torch.randn(count, size, 5, generator=random, dtype=torch.float64)
            normal = normal / others.square().mean(dim=2).sqrt()
        case "outliers":
            normal[torch.rand(count, size, generator=random) < 0.02] *= 20
        case "constant":
            normal = torch.randn(count, 1, generator=random, dtype=torch.float64).expand(count, size)
        case "one-hot":
            places = torch.randint(size, (count, 1), generator=random)
            normal = torch.zeros_like(normal).scatter(1, places, normal[:, :1])
        case "few":
            normal = torch.randint(-3, 4, (count, size), generator=random).to(torch.float64)
        case "tiny":
            spread = spread * 1e-36
        case "huge":
            normal, spread = normal / normal.abs().amax(dim=1, keepdim=True), torch.full_like(spread, 3.4e38)
        case "ramp":
            normal = torch.linspace(-1, 1, size, dtype=torch.float64) + 0.01 * normal
    return (normal * spread).to(torch.float32)


def squared_error(blocks: Tensor, grid: Grid, scales: Tensor) -> Tensor:
    """float64 `[blocks]` for one scale a block, or `[scales, blocks]`: level * scale in float32, as readers have it."""
    levels = torch.tensor(grid.levels, dtype=torch.float64)
    middles = (levels[1:] + levels[:-1]) / 2
    scales = scales.to(torch.float64)[..., None]
    nearest = levels[torch.searchsorted(middles, (blocks.to(torch.float64) / scales).contiguous())]
    back = (nearest * scales).to(torch.float32).to(torch.float64)
    size = blocks.abs().amax(dim=1, keepdim=True).to(torch.float64).clamp(min=1e-300)
    return ((blocks.to(torch.float64) - back) / size).square().sum(dim=-1) * size[:, 0].square()


def least_error(blocks: Tensor, grid: Grid, storable: ScaleFormat, *, both_signs: bool = False) -> Tensor:
    """float64 `[blocks]`: the least over every storable scale, or in float32 over every choice of levels."""
    found = torch.full((len(blocks),), torch.inf, dtype=torch.float64)
    for scales in _every_scale(blocks, grid, storable, both_signs=both_signs):
        found = torch.minimum(found, squared_error(blocks, grid, scales).amin(dim=0))
    return found


def _every_scale(blocks: Tensor, grid: Grid, storable: ScaleFormat, *, both_signs: bool) -> Iterator[Tensor]:
    """`[some scales, blocks]` at a time."""
    signs = (1.0, -1.0) if both_signs else (1.0,)
    every = every_number(storable.name)
    if every is None:
        for sign in signs:
            yield from (sign * part for part in torch.split(_least_squares_scales(sign * blocks, grid), 64))
        return
    # From where everything becomes zero to where three quarters of the largest number are cut off.
    reach = blocks.abs().amax(dim=1)
    smallest = min(abs(level) for level in grid.levels if level)
    usable = every[(every >= storable.smallest) & (every <= storable.largest)] / storable.divisor
    low = (reach / max(map(abs, grid.levels)) / 4).min()
    high = (reach / smallest * 2).max()
    places = (usable >= low) & (usable <= high)
    usable = usable[places] if bool(places.any()) else usable[[0, -1]]
    for part in torch.split(usable, 64):
        for sign in signs:
            yield (sign * part)[:, None].expand(-1, len(blocks))


def _least_squares_scales(blocks: Tensor, grid: Grid) -> Tensor:
    """Each choice of levels has its best scale: one for each interval between two scales where a number moves."""
    levels = torch.tensor(grid.levels, dtype=torch.float64)
    middles = (levels[1:] + levels[:-1]) / 2
    values = blocks.to(torch.float64)
    inverses = (middles / values[:, :, None]).flatten(1)
    inverses = torch.where(inverses > 0, inverses, torch.inf).sort(dim=1).values
    before = torch.nn.functional.pad(inverses, (1, 0))[:, :-1]
    between = torch.where(inverses.isfinite(), (inverses + before) / 2, before * 2)
    found = []
    for inverse in between.unbind(dim=1):
        taken = levels[torch.searchsorted(middles, values * inverse[:, None])]
        found.append((values * taken).sum(dim=1) / taken.square().sum(dim=1))
    scales = torch.stack(found).to(torch.float32)
    reach = blocks.abs().amax(dim=1)
    scales = torch.where(scales > 0, scales, reach.clamp(min=2.0**-126))
    return scales.clamp(2.0**-126, torch.finfo(torch.float32).max / max(map(abs, grid.levels)))
