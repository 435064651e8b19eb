"""The card of a block format: an element, a scale, and how many elements share it."""

from dataclasses import dataclass
from functools import lru_cache

from app.exact.text import exact_text
from app.formats import BlockFormat
from app.tasks.describe_format import FieldWidth


@dataclass(frozen=True, slots=True)
class BlockCard:
    """The facts of a block format; numbers are exact texts and leave a tensor-wide scale out."""

    format: BlockFormat
    fields: tuple[FieldWidth, ...]
    """The scale, then one element."""
    bits_per_element: str
    """With the share of the block's scale."""
    block_bits: int
    """Of one block: its scale and all its elements."""
    element_max_exponent: int
    """emax of OCP MX 1.0: the power of two in the element's largest number."""
    max: str
    min: str
    min_positive: str


@lru_cache(maxsize=32)
def describe_block(block: BlockFormat) -> BlockCard:
    """The card of a block format."""
    return BlockCard(
        format=block,
        fields=tuple(FieldWidth(name, bits) for name, bits in block.field_widths),
        bits_per_element=exact_text(block.bits_per_element),
        block_bits=block.scale.width + block.block_size * block.element.width,
        element_max_exponent=block.element_max_exponent,
        max=exact_text(block.max),
        min=exact_text(block.min),
        min_positive=exact_text(block.min_positive),
    )
