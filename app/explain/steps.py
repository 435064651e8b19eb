"""What a step of an explanation is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.errors import Figure


@dataclass(frozen=True, slots=True)
class Step:
    """One sentence to be: `id` names it, `figures` are what it quotes."""

    id: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
