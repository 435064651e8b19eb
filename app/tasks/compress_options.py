"""What a user may choose about a compression, checked; no torch, for the web process uses it too."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.errors import InvalidInput
from app.schemes.catalog import CARDS, SchemeCard

SCHEMES: tuple[SchemeCard, ...] = tuple(CARDS.values())
"""The schemes, in the order in which a form offers them."""

MAX_PATTERNS = 64
MAX_PATTERN_CHARACTERS = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressOptions:
    """A scheme and its options; what the scheme does not take is None.

    `include` and `exclude` are shell patterns of tensor names: an included tensor is compressed although its name or
    rank would keep it, an excluded one is always kept.
    """

    scheme: str
    granularity: str | None = None
    """None: the scheme's default."""
    symmetric: bool = True
    scale: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        card = CARDS.get(self.scheme)
        if card is None:
            raise InvalidInput("options.scheme", scheme=self.scheme[:40], choices=", ".join(CARDS))
        if not self.symmetric:
            raise InvalidInput("options.asymmetric", scheme=card.name)
        granularity = _choice("granularity", self.granularity, card.granularities, card)
        scale = _choice("scale", self.scale, card.scales, card)
        object.__setattr__(self, "granularity", granularity)
        object.__setattr__(self, "scale", scale)
        _check_patterns((*self.include, *self.exclude))

    @property
    def card(self) -> SchemeCard:
        return CARDS[self.scheme]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "CompressOptions":
        """The options of a JSON object; other keys than the fields are refused.

        Raises:
            InvalidInput: `options.*`.
        """
        unknown = sorted(document.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            raise InvalidInput("options.unknown", name=str(unknown[0])[:40])
        return cls(
            scheme=_text(document, "scheme") or "",
            granularity=_text(document, "granularity"),
            symmetric=_boolean(document, "symmetric"),
            scale=_text(document, "scale"),
            include=_patterns(document, "include"),
            exclude=_patterns(document, "exclude"),
        )

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON object; `from_json` of it is equal."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def _choice(option: str, chosen: str | None, choices: tuple[str, ...], card: SchemeCard) -> str | None:
    if chosen is None:
        return choices[0] if choices else None
    if chosen not in choices:
        code = "options.choice" if choices else "options.not-taken"
        raise InvalidInput(code, option=option, value=chosen[:40], scheme=card.name, choices=", ".join(choices))
    return chosen


def _check_patterns(patterns: tuple[str, ...]) -> None:
    if len(patterns) > MAX_PATTERNS:
        raise InvalidInput("options.too-many-patterns", limit=MAX_PATTERNS)
    for pattern in patterns:
        if not 0 < len(pattern) <= MAX_PATTERN_CHARACTERS:
            raise InvalidInput("options.pattern-length", limit=MAX_PATTERN_CHARACTERS)


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput("options.type", name=name)
    # An empty form field means that nothing was chosen.
    return value or None


def _boolean(document: Mapping[str, Any], name: str) -> bool:
    value = document.get(name, True)
    if not isinstance(value, bool):
        raise InvalidInput("options.type", name=name)
    return value


def _patterns(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = document.get(name) or ()
    if not isinstance(value, list | tuple) or not all(isinstance(pattern, str) for pattern in value):
        raise InvalidInput("options.type", name=name)
    return tuple(value)
