"""Block formats: elements that share a scale."""

from dataclasses import dataclass, field
from fractions import Fraction

from app.formats.bits import floor_log2
from app.formats.fixed_point import FixedPointFormat
from app.formats.floats import FloatFormat
from app.formats.origin import Family, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFormat:
    """value = element * scale (* tensor_scale): `block_size` neighbouring elements have one scale."""

    name: str
    element: FloatFormat | FixedPointFormat
    scale: FloatFormat
    block_size: int
    tensor_scale: FloatFormat | None = None
    """A second scale for the whole tensor (NVFP4)."""
    origin: Origin = field(repr=False, compare=False)

    @property
    def family(self) -> Family:
        return Family.BLOCK

    @property
    def width(self) -> int:
        """Bits of one element."""
        return self.element.width

    @property
    def signed(self) -> bool:
        return True

    @property
    def field_widths(self) -> tuple[tuple[str, int], ...]:
        """The scale, then one element."""
        return ("scale", self.scale.width), *self.element.field_widths

    @property
    def bits_per_element(self) -> Fraction:
        """With the share of the block's scale; a tensor-wide scale is not counted."""
        return self.element.width + Fraction(self.scale.width, self.block_size)

    @property
    def element_max_exponent(self) -> int:
        """The power of two in the element's largest number: emax of OCP MX 1.0, section 6.3."""
        return floor_log2(*self.element.max.as_integer_ratio())

    @property
    def max(self) -> Fraction:
        """Without a tensor-wide scale."""
        return self.element.max * self.scale.max

    @property
    def min(self) -> Fraction:
        """Without a tensor-wide scale."""
        return self.element.min * self.scale.max

    @property
    def min_positive(self) -> Fraction:
        """Without a tensor-wide scale."""
        element = self.element
        smallest = element.min_positive if isinstance(element, FloatFormat) else element.unit
        return smallest * self.scale.min_positive
