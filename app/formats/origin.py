"""Where a format comes from, and the families that formats fall into."""

from dataclasses import dataclass
from enum import StrEnum


class Family(StrEnum):
    """Formats whose codes are read by the same rule."""

    FLOAT = "float"
    POSIT = "posit"
    TAKUM = "takum"
    INTEGER = "integer"
    FIXED_POINT = "fixed-point"
    CODEBOOK = "codebook"
    BOOLEAN = "boolean"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a format is defined and where it is met."""

    reference: str
    """Standard, paper or program, with the section."""
    used_by: tuple[str, ...] = ()
    """Dtypes of libraries (`torch.float16`), languages, hardware and runtimes that have it."""
    aliases: tuple[str, ...] = ()
