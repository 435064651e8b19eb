"""Quantizing on a CUDA device: compiled in one pass where a kernel serves, in plain torch everywhere else."""

import torch
from torch import Tensor

from app.schemes.grid_scheme import GridScheme
from app.schemes.grids import Grid
from app.schemes.partitions import Granularity
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, QuantizedTensor, ScaleRule, check_values

_LARGEST_BLOCK = 4096
_TILE_ELEMENTS = 4096
_LARGEST_TILE = 16384
"""Elements of a row that eight warps hold in registers."""
_ROUNDS = 8
"""Tiles that a program looks at for the largest magnitude."""
_INFINITY = 0x7F800000


def quantize_on_device(scheme: GridScheme, values: Tensor, choices: Choices) -> QuantizedTensor:
    """What `scheme.quantize` gives, on the values' device; the kernels serve scales by the largest magnitude.

    For equal scales the codes are those of the plain version, on every device.
    """
    is_known = scheme.has_plain_scales and choices.scale is ScaleRule.ABSMAX and choices.seed is None
    if not values.is_cuda or not is_known:
        return scheme.quantize(values, choices)
    worst = torch.zeros(1, dtype=torch.int32, device=values.device)
    if _has_nibbles(scheme, values):
        found = _by_nibbles(scheme, values, worst)
    elif scheme.grid.is_uniform and scheme.grid.bits == 8 and scheme.partition.granularity is Granularity.CHANNEL:
        found = _by_rows(scheme, values, worst)
    else:
        return scheme.quantize(values, choices)
    if int(worst) >= _INFINITY:
        check_values(values, choices)
    return found


def _has_nibbles(scheme: GridScheme, values: Tensor) -> bool:
    size, granularity = scheme.partition.columns, scheme.partition.granularity
    within_rows = granularity is Granularity.GROUP and values.shape[1] % max(size, 1) == 0
    is_whole = within_rows or (granularity is Granularity.FLAT and values.numel() % max(size, 1) == 0)
    is_power = 2 <= size <= _LARGEST_BLOCK and size & (size - 1) == 0
    codes_in_order = scheme.grid.codes == tuple(range(len(scheme.grid.codes)))
    is_known = scheme.grid.is_uniform or codes_in_order or _mirrored(scheme.grid) > 0
    return bool(scheme.packing.nibbles) and is_whole and is_power and is_known


def _mirrored(grid: Grid) -> int:
    """How many positive levels a grid has that mirrors itself around a single zero with a sign bit; else 0."""
    count = len(grid.levels) // 2
    signed = tuple(1 << (grid.bits - 1) | place for place in range(count, 0, -1)) + tuple(range(count + 1))
    return count if grid.codes == signed and not grid.is_uniform else 0


def _by_nibbles(scheme: GridScheme, values: Tensor, worst: Tensor) -> QuantizedTensor:
    from app.schemes.kernels.triton_grids import encode_nibbles  # noqa: PLC0415 - torch brings Triton with CUDA only

    grid, scale_format = scheme.grid, _fitted(scheme, values)
    size, device = scheme.partition.columns, values.device
    blocks, tile = values.numel() // size, max(1, _TILE_ELEMENTS // size)
    scales = _no_scales(scale_format, blocks, device)
    packed = torch.empty(values.shape[0], values.shape[1] // 2, dtype=torch.uint8, device=device)
    mirrored = _mirrored(grid)
    thresholds = grid.thresholds()[-mirrored or None :]
    encode_nibbles[(-(-blocks // tile),)](
        *(values, scales, packed, worst, thresholds.to(device)),
        torch.tensor([scale_format.divisor], device=device),
        *(blocks, grid.end, scale_format.smallest, scale_format.largest, grid.smallest, grid.largest),
        scheme.code_offset,
        SIZE=size,
        TILE=tile,
        STEPS=0 if grid.is_uniform else len(thresholds),
        IS_SIGNED=mirrored > 0,
        TIES_LOWER=not grid.ties_to_even,
        KIND=scale_format.name,
        HIGH_FIRST=scheme.packing.nibbles == "high_first",
    )
    if scheme.partition.granularity is Granularity.FLAT:
        packed = packed.view(-1, 1)
    shape = values.shape[0], values.shape[1]
    return scheme.with_stored_scales(packed, scales.view(scale_format.dtype), scale_format, shape)


def _fitted(scheme: GridScheme, values: Tensor) -> ScaleFormat:
    """The format of scales, which may take the largest magnitude of all from one number that has it."""
    if type(scheme).fitted_format is GridScheme.fitted_format:
        return scheme.fitted_format(values)
    return scheme.fitted_format(_largest_magnitude(values).view(1, 1))


def _largest_magnitude(values: Tensor) -> Tensor:
    from app.schemes.kernels.triton_grids import largest_magnitude  # noqa: PLC0415 - as above

    found = torch.zeros(1, dtype=torch.int32, device=values.device)
    count = values.numel()
    largest_magnitude[(-(-count // (_TILE_ELEMENTS * _ROUNDS)),)](
        values, found, count, TILE=_TILE_ELEMENTS, ROUNDS=_ROUNDS
    )
    return found.view(torch.float32)


def _no_scales(scale_format: ScaleFormat, count: int, device: torch.device) -> Tensor:
    """Memory for scales as they are stored: those of eight bits as bytes, for Triton has no names for all of them."""
    return torch.empty(count, dtype=torch.uint8 if scale_format.bits == 8 else scale_format.dtype, device=device)


def _by_rows(scheme: GridScheme, values: Tensor, worst: Tensor) -> QuantizedTensor:
    from app.schemes.kernels.triton_grids import encode_rows  # noqa: PLC0415 - torch brings Triton with CUDA only

    rows, columns = values.shape
    grid, scale_format = scheme.grid, scheme.fitted_format(values)
    stride = scheme.packing.row_bits(columns) // 8
    scales = _no_scales(scale_format, rows, values.device)
    fresh = torch.empty if stride == columns else torch.zeros
    packed = fresh(rows, stride, dtype=torch.uint8, device=values.device)
    encode_rows[(rows,)](
        *(values, scales, packed, worst, columns, stride),
        *(grid.end, scale_format.smallest, scale_format.largest, grid.smallest, grid.largest, scheme.code_offset),
        TILE=min(_LARGEST_TILE, 1 << (columns - 1).bit_length()),
        num_warps=8,
        KIND=scale_format.name,
    )
    shape = values.shape[0], values.shape[1]
    return scheme.with_stored_scales(packed, scales.view(scale_format.dtype), scale_format, shape)
