"""The table of schemes: what each stores, in which layout, and which options it takes."""

from dataclasses import dataclass
from enum import StrEnum


class Layout(StrEnum):
    """How the stored tensors are arranged, for the program that loads them."""

    SAFETENSORS = "safetensors"
    COMPRESSED_TENSORS = "compressed-tensors"


@dataclass(frozen=True, slots=True)
class SchemeCard:
    """One scheme: a plain cast has `element` alone, a scaled one has granularities, the default first."""

    name: str
    layout: Layout
    element: str
    """The format of a stored element, as our format table names it."""
    granularities: tuple[str, ...] = ()
    scales: tuple[str, ...] = ()

    @property
    def is_cast(self) -> bool:
        return not self.granularities


CARDS = {
    card.name: card
    for card in (
        SchemeCard("float16", Layout.SAFETENSORS, "float16"),
        SchemeCard("bfloat16", Layout.SAFETENSORS, "bfloat16"),
        SchemeCard("float8_e4m3fn", Layout.SAFETENSORS, "float8_e4m3fn"),
        SchemeCard("float8_e5m2", Layout.SAFETENSORS, "float8_e5m2"),
        SchemeCard("int8", Layout.COMPRESSED_TENSORS, "int8", ("channel", "tensor"), ("absmax",)),
    )
}
