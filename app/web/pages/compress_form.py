"""The form that makes a file smaller: all schemes by family, their options, and which tensors are treated otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.layouts.table import LAYOUTS, layouts_of
from app.layouts.writing import ChosenScheme
from app.schemes.entries import SchemeEntry
from app.schemes.registry import entry_or_none
from app.schemes.scheme import ScaleRule
from app.tasks.compress_options import SCHEMES, CompressOptions
from app.web.quantities import number_text

DEFAULT_FORM: Mapping[str, str] = {
    "scheme": "bfloat16",
    "granularity": "",
    "symmetric": "",
    "scale": "",
    "double_quant": "",
    "mx_scale": "",
    "layout": "",
    "include": "",
    "exclude": "",
    "set": "",
}
_FAMILIES = ("cast", "integer", "float", "microscaling", "codebook", "gguf")
_TAKEN = ("granularity", "symmetric", "scale", "double_quant", "mx_scale")
"""Fields of the form that only some schemes take."""
_PATTERNS = ("include", "exclude", "set")
_MOST_CHARACTERS = 10_000
_MATRIX = (4096, 4096)


@dataclass(frozen=True, slots=True)
class SchemeChoice:
    """One scheme of the form."""

    name: str
    bits: str
    """A weight of a large matrix of bfloat16 takes so many, scales and all."""
    layout: str
    takes: str
    """The fields that count for it, between spaces."""


@dataclass(frozen=True, slots=True)
class Family:
    """Schemes of one kind."""

    name: str
    schemes: tuple[SchemeChoice, ...]


@dataclass(frozen=True, slots=True)
class CompressForm:
    """What was chosen, or will be by default; `refusal` says what was wrong with it."""

    families: tuple[Family, ...]
    granularities: tuple[str, ...]
    scales: tuple[str, ...]
    mx_scales: tuple[str, ...]
    layouts: tuple[str, ...]
    chosen: Mapping[str, str]
    refusal: str | None

    @property
    def scheme(self) -> str:
        """The chosen one."""
        return self.chosen["scheme"]

    @property
    def has_patterns(self) -> bool:
        """Whether tensors were chosen by name."""
        return any(self.chosen[name] for name in _PATTERNS)


def compress_form(form: Mapping[str, str] = DEFAULT_FORM, refusal: str | None = None) -> CompressForm:
    """The form with what was chosen in it."""
    granularities = dict.fromkeys(each for entry in SCHEMES for each in entry.granularities)
    return CompressForm(
        families=_families(),
        granularities=tuple(granularities),
        scales=tuple(rule.value for rule in ScaleRule),
        mx_scales=("floor", "ceil", "rceil", "even", "mse"),
        layouts=tuple(LAYOUTS),
        chosen={name: form.get(name, default)[:_MOST_CHARACTERS] for name, default in DEFAULT_FORM.items()},
        refusal=refusal,
    )


def options_of(form: Mapping[str, str]) -> CompressOptions:
    """What the form asks for. It sends every field: those that the scheme does not take do not count.

    Raises:
        InvalidInput: what `CompressOptions` refuses.
    """
    entry = entry_or_none(form["scheme"].partition(":")[0])
    taken = {name for name in _TAKEN if entry is not None and name in entry.options}
    document: dict[str, Any] = {"scheme": form["scheme"], "layout": form.get("layout", "").strip()}
    document |= {name: form.get(name, "").strip() for name in taken}
    if "symmetric" in taken:
        document["symmetric"] = {"symmetric": True, "asymmetric": False}.get(document["symmetric"])
    if "double_quant" in taken:
        document["double_quant"] = bool(document["double_quant"])
    return CompressOptions.from_json(document | {name: form.get(name, "").split() for name in _PATTERNS})


@lru_cache(maxsize=1)
def _families() -> tuple[Family, ...]:
    found = {family: tuple(_choice(entry) for entry in SCHEMES if entry.family == family) for family in _FAMILIES}
    return tuple(Family(name, schemes) for name, schemes in found.items() if schemes)


def _choice(entry: SchemeEntry) -> SchemeChoice:
    storage = ChosenScheme(entry.name).scheme(scale_format="bfloat16").storage(_MATRIX)
    takes = " ".join(name for name in _TAKEN if name in entry.options)
    return SchemeChoice(entry.name, number_text(float(storage.bits_per_weight)), layouts_of(entry)[0], takes)
