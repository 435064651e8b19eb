"""OCP MX and NVFP4: small floats (or MXINT8's) in blocks of 32 or 16, each with a scale of eight bits."""

from dataclasses import dataclass, field, replace
from functools import partial

import torch
from torch import Tensor

from app.errors import InvalidInput
from app.formats import BLOCKS, BlockFormat, FloatFormat
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.floats import code_packing
from app.schemes.grid_scheme import GridScheme
from app.schemes.grids import Grid, format_grid
from app.schemes.partitions import Granularity, Partition
from app.schemes.scale_formats import ScaleFormat
from app.schemes.scheme import Choices, QuantizedTensor, Storage, check_values
from app.schemes.search import least_of

_FORMATS = {
    "mxfp8": "mxfp8_e4m3",
    "mxfp8_e5m2": "mxfp8_e5m2",
    "mxfp6": "mxfp6_e2m3",
    "mxfp6_e3m2": "mxfp6_e3m2",
    "mxfp4": "mxfp4",
    "mxint8": "mxint8",
}
_COMPRESSED_TENSORS = ("mxfp8", "mxfp6", "mxfp4")
_POWER_RULES = ("mse", "floor", "ceil", "rceil", "even")
_FRACTION_BITS = 23
_BIAS = 127
_LARGEST_GLOBAL = 2.0**117
"""E4M3's smallest number over this is 2^-126, a normal float32."""


@dataclass(frozen=True, slots=True)
class MicroscalingScheme(GridScheme):
    """value = element * 2^e, the scales stored as E8M0 in bytes.

    Rules but `mse` give the scales of MX 1.0, 6.3 and of torchao (`app.codec.blocks` says how), from 2^-126 on and
    not so large that the largest element overflows float32.
    """

    block_format: BlockFormat = field(kw_only=True)
    rule: str = "mse"

    @property
    def has_plain_scales(self) -> bool:
        """See `GridScheme`."""
        return self.rule == "mse"

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`; `choices.scale` does not count: the rule is an option of the scheme."""
        if self.rule == "mse":
            return GridScheme.quantize(self, values, choices)
        check_values(values, choices)
        scale_format = self.fitted_format(values)
        reach = self.partition.blocks(values).nan_to_num(0.0).abs().amax(dim=1)
        scales = scale_format.nearest(power_of_two_scales(reach, self.block_format, self.rule))
        return self.with_scales(values, scales, scale_format, choices.seed)

    def with_stored_scales(
        self, packed: Tensor, scales: Tensor, scale_format: ScaleFormat, shape: tuple[int, int]
    ) -> QuantizedTensor:
        """See `GridScheme`."""
        found = GridScheme.with_stored_scales(self, packed, scales, scale_format, shape)
        assert found.scales is not None
        return replace(found, scales=found.scales.view(torch.uint8))

    def read_scales(self, stored: QuantizedTensor) -> Tensor:
        """See `GridScheme`."""
        assert stored.scales is not None
        return stored.scales.view(torch.float8_e8m0fnu).to(torch.float32)


@dataclass(frozen=True, slots=True)
class NvidiaScheme(GridScheme):
    """value = element * (E4M3 scale / global scale), both operations in float32, as compressed-tensors reads it.

    The global scale is 448 * 6 / absmax of the tensor, at most 2^117, and 1 for zeros.
    """

    rule: str | None = None
    global_scale: float | None = None
    """For a band of a matrix: that of the whole."""

    @property
    def has_plain_scales(self) -> bool:
        """See `GridScheme`."""
        return self.rule != "four-over-six"

    def quantize(self, values: Tensor, choices: Choices) -> QuantizedTensor:
        """See `Scheme`; with the rule `four-over-six` a block's largest magnitude goes to 6 or to 4."""
        if self.rule != "four-over-six":
            return GridScheme.quantize(self, values, choices)
        check_values(values, choices)
        scale_format = self.fitted_format(values)
        blocks = self.partition.blocks(values).nan_to_num(0.0)
        reach = blocks.abs().amax(dim=1)
        six, four = (scale_format.nearest(reach / level) for level in (6.0, 4.0))
        scales = least_of(blocks, self.grid, (six, four), self.weights(values, choices))
        return self.with_scales(values, scales, scale_format, choices.seed)

    def fitted_format(self, values: Tensor) -> ScaleFormat:
        """See `GridScheme`."""
        if self.global_scale is not None:
            return replace(self.scale_format, divisor=self.global_scale, largest_level=self.grid.largest)
        largest = values.abs().amax().to("cpu")
        wanted = self.scale_format.largest * self.grid.largest / largest
        divisor = float(wanted.clamp(max=_LARGEST_GLOBAL)) if largest else 1.0
        return replace(self.scale_format, divisor=divisor, largest_level=self.grid.largest)

    def with_stored_scales(
        self, packed: Tensor, scales: Tensor, scale_format: ScaleFormat, shape: tuple[int, int]
    ) -> QuantizedTensor:
        """See `GridScheme`."""
        found = GridScheme.with_stored_scales(self, packed, scales, scale_format, shape)
        return replace(found, others={"global_scale": torch.tensor([scale_format.divisor], device=packed.device)})

    def read_scales(self, stored: QuantizedTensor) -> Tensor:
        """See `GridScheme`."""
        assert stored.scales is not None
        return stored.scales.to(torch.float32) / stored.others["global_scale"]

    def storage(self, shape: tuple[int, int]) -> Storage:
        """See `Scheme`."""
        return replace(GridScheme.storage(self, shape), others=32)


def power_of_two_scales(reach: Tensor, block_format: BlockFormat, rule: str) -> Tensor:
    """float32 powers of two for the largest magnitudes of blocks, by `floor`, `ceil`, `rceil` or `even`."""
    words = reach.contiguous().view(torch.int32)
    exponents, fractions = (words >> _FRACTION_BITS) - _BIAS, words & ((1 << _FRACTION_BITS) - 1)
    element = block_format.element
    match rule:
        case "floor":
            is_up = torch.zeros_like(fractions)
        case "ceil":
            is_up = fractions != 0
        case "rceil":
            most = torch.tensor(float(element.max)).view(torch.int32) & ((1 << _FRACTION_BITS) - 1)
            is_up = fractions > most.to(fractions.device)
        case _:
            bits = 1 + (element.mantissa_bits if isinstance(element, FloatFormat) else element.fraction_bits)
            is_up = (fractions >> (_FRACTION_BITS - bits)) == (1 << bits) - 1
    powers = (exponents + is_up - block_format.element_max_exponent).clamp(-_BIAS + 1, _BIAS)
    return ((powers + _BIAS) << _FRACTION_BITS).to(torch.int32).view(torch.float32)


def _microscaling(name: str, options: SchemeOptions) -> MicroscalingScheme:
    block_format = _block_format(_FORMATS[name])
    grid = _fixed_point_grid() if name == "mxint8" else format_grid(block_format.element.name)
    return MicroscalingScheme(
        name,
        grid,
        Partition(Granularity.GROUP, block_format.block_size),
        ScaleFormat(block_format.scale.name),
        code_packing(grid.bits),
        block_format=block_format,
        rule=_checked_rule(options.mx_scale or "mse", _POWER_RULES),
    )


def _nvfp4(options: SchemeOptions) -> NvidiaScheme:
    block_format = _block_format("nvfp4")
    rule = _checked_rule(options.mx_scale or "mse", ("mse", "four-over-six"))
    return NvidiaScheme(
        "nvfp4",
        format_grid(block_format.element.name),
        Partition(Granularity.GROUP, block_format.block_size),
        ScaleFormat(block_format.scale.name),
        code_packing(4),
        rule=rule,
    )


def _checked_rule(rule: str, known: tuple[str, ...]) -> str:
    if rule not in known:
        raise InvalidInput("scheme.mx-scale", rule=rule[:40], known=", ".join(known))
    return rule


def _block_format(name: str) -> BlockFormat:
    return next(each for each in BLOCKS if each.name == name)


def _fixed_point_grid() -> Grid:
    """q1.6 without -2, whose negative it lacks: MX 1.0, 5.3.4."""
    places = range(-127, 128)
    return Grid(
        "q1.6", 8, tuple(place / 64 for place in places), tuple(place & 0xFF for place in places), ties_to_even=True
    )


ENTRIES = (
    *(
        SchemeEntry(
            name=name,
            family="microscaling",
            element=_block_format(block).element.name,
            layout="compressed-tensors" if name in _COMPRESSED_TENSORS else "bitlens",
            options=frozenset({"mx_scale", "seed", "importance"}),
            build=partial(_microscaling, name),
        )
        for name, block in _FORMATS.items()
    ),
    SchemeEntry(
        name="nvfp4",
        family="microscaling",
        element=_block_format("nvfp4").element.name,
        layout="compressed-tensors",
        options=frozenset({"mx_scale", "scale", "percentile", "seed", "importance"}),
        build=_nvfp4,
    ),
)
