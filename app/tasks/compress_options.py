"""What a user may choose about a compression, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from app.errors import InvalidInput
from app.layouts.table import find_layout, layouts_of
from app.layouts.writing import ChosenScheme, OutputLayout
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.registry import ENTRIES
from app.schemes.scheme import ScaleRule
from app.tasks.quantize_request import SchemeChoice
from app.tasks.quantize_values import choices_of
from app.tasks.scheme_words import read_scheme, scheme_text
from app.tasks.threads import kernel_threads

SCHEMES: tuple[SchemeEntry, ...] = tuple(entry for entry in ENTRIES.values() if layouts_of(entry))
"""The schemes that some layout has room for, in the order in which a form offers them."""

MAX_PATTERNS = 64
MAX_PATTERN_CHARACTERS = 256
MAX_SCHEME_CHARACTERS = 200
LEAST_SHARD_BYTES = 1 << 20
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


@dataclass(frozen=True, kw_only=True)
class CompressOptions:
    """A scheme and its options, a layout, and which tensors are to be treated otherwise; None where a default holds.

    `include` and `exclude` are shell patterns of tensor names: an included tensor is compressed although its name or
    rank would keep it, an excluded one is always kept. `set` gives others than `scheme` to compressed tensors of some
    names: `*.mlp.*=int4:group=32`; the last that matches counts.
    """

    scheme: str
    """With words behind it, as `app.tasks.scheme_words` reads them; the fields below count more."""
    granularity: str | None = None
    symmetric: bool | None = None
    scale: str | None = None
    """`absmax`, `mse`, `percentile` or `percentile=99.9`."""
    double_quant: bool = False
    signed_scales: bool = False
    mx_scale: str | None = None
    layout: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    max_shard_size: str | None = None
    """As `5GB` or `500MiB`; None: as the source is sharded."""

    def __post_init__(self) -> None:
        _check_patterns((*self.include, *self.exclude, *self.set))
        layout = self.output_layout
        for chosen in (self.chosen, *(chosen for _, chosen in self.overrides)):
            if not layout.takes(chosen.entry):
                raise InvalidInput("layout.scheme", layout=layout.name, scheme=chosen.name)
        if self.shard_bytes is not None and not layout.may_be_sharded:
            raise InvalidInput("layout.one-file", layout=layout.name)

    @cached_property
    def chosen(self) -> ChosenScheme:
        """The scheme for all tensors that have no other."""
        given = SchemeOptions(
            granularity=self.granularity,
            symmetric=self.symmetric,
            double_quant=self.double_quant,
            mx_scale=self.mx_scale,
        )
        choice = _read(self.scheme)
        merged = {
            name: value if value != getattr(SchemeOptions(), name) else getattr(choice.options, name)
            for name, value in asdict(given).items()
        }
        choice = replace(
            choice, options=SchemeOptions(**merged), signed_scales=choice.signed_scales or self.signed_scales
        )
        if self.scale is not None:
            choice = _with_scale(choice, self.scale)
        return _chosen(choice)

    @cached_property
    def overrides(self) -> tuple[tuple[str, ChosenScheme], ...]:
        """Patterns and their schemes."""
        return tuple(_override(text) for text in self.set)

    def scheme_of(self, tensor: str) -> ChosenScheme:
        """The scheme for a tensor of that name, if it is compressed."""
        found = self.chosen
        for pattern, chosen in self.overrides:
            if fnmatchcase(tensor, pattern):
                found = chosen
        return found

    @cached_property
    def output_layout(self) -> OutputLayout:
        """The layout that was asked for, or the scheme's own, or another one that has a place for it."""
        if self.layout is not None:
            return find_layout(self.layout)
        usual = layouts_of(self.chosen.entry)
        if not usual:
            known = ", ".join(entry.name for entry in SCHEMES)
            raise InvalidInput("layout.none", scheme=self.chosen.name, known=known)
        return find_layout(usual[0])

    @cached_property
    def shard_bytes(self) -> int | None:
        """The most that a file may hold."""
        return None if self.max_shard_size is None else parse_size(self.max_shard_size)

    def check_shards(self, *, is_folder: bool) -> None:
        """Refuses shards where the output is to be one file.

        Raises:
            InvalidInput: `output.shards`.
        """
        if self.shard_bytes is not None and not is_folder:
            raise InvalidInput("output.shards")

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "CompressOptions":
        """The options of a JSON object; other keys than the fields are refused.

        Raises:
            InvalidInput: `options.*`, `scheme.*`, `layout.*`.
        """
        unknown = sorted(document.keys() - cls.__dataclass_fields__.keys())
        if unknown:
            raise InvalidInput("options.unknown", name=str(unknown[0])[:40])
        return cls(
            scheme=_text(document, "scheme") or "",
            granularity=_text(document, "granularity"),
            symmetric=_boolean(document, "symmetric"),
            scale=_text(document, "scale"),
            double_quant=_boolean(document, "double_quant") or False,
            signed_scales=_boolean(document, "signed_scales") or False,
            mx_scale=_text(document, "mx_scale"),
            layout=_text(document, "layout"),
            include=_patterns(document, "include"),
            exclude=_patterns(document, "exclude"),
            set=_patterns(document, "set"),
            max_shard_size=_text(document, "max_shard_size"),
        )

    def to_json(self) -> dict[str, Any]:
        """The same as a JSON object; `from_json` of it is equal."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def parse_size(text: str) -> int:
    """Bytes of `5GB`, `500MiB` or `1000000`.

    Raises:
        InvalidInput: `options.size`, no such size, or less than a MiB.
    """
    digits = text.strip().upper()
    unit = digits.lstrip("0123456789.")
    number = digits.removesuffix(unit) if unit else digits
    is_number = number.replace(".", "", 1).isdigit() and len(number) <= 16
    size = int(float(number) * _UNITS[unit.strip()]) if is_number and unit.strip() in _UNITS else 0
    if size < LEAST_SHARD_BYTES:
        raise InvalidInput("options.size", text=text[:40])
    return size


def _read(text: str) -> SchemeChoice:
    if not 0 < len(text) <= MAX_SCHEME_CHARACTERS:
        raise InvalidInput("options.no-scheme")
    choice = read_scheme(text)
    if choice.rotation is not None:
        # No layout that is written says by what rows were turned.
        raise InvalidInput("scheme.option", name=choice.name[:40], option="rotation")
    return choice


def _with_scale(choice: SchemeChoice, text: str) -> SchemeChoice:
    if text.partition("=")[0] not in set(ScaleRule):
        raise InvalidInput("options.scale", scale=text[:40], known=", ".join(ScaleRule))
    said = read_scheme(f"{choice.name}:{text}")
    return replace(choice, scale=said.scale, percentile=said.percentile)


def _chosen(choice: SchemeChoice) -> ChosenScheme:
    choices = replace(choices_of(choice), threads=kernel_threads())
    found = ChosenScheme(choice.name, choice.options, choices, scheme_text(choice))
    found = replace(found, name=found.entry.name)
    found.scheme()
    return found


def _override(text: str) -> tuple[str, ChosenScheme]:
    pattern, separator, scheme = text.partition("=")
    if not separator or not pattern or not scheme:
        raise InvalidInput("options.set", text=text[:80])
    return pattern, _chosen(_read(scheme))


def _check_patterns(patterns: Sequence[str]) -> None:
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


def _boolean(document: Mapping[str, Any], name: str) -> bool | None:
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput("options.type", name=name)
    return value


def _patterns(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = document.get(name) or ()
    if not isinstance(value, list | tuple) or not all(isinstance(pattern, str) for pattern in value):
        raise InvalidInput("options.type", name=name)
    return tuple(value)
