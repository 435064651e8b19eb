"""The tensors of an analysed file as rows: figures in words, links to the bits of the extremes, a small histogram."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.web.histogram import Histogram, histogram_of
from app.web.pages.addresses import inspect_address
from app.web.pages.table_query import SortKey
from app.web.quantities import count_text, number_text, shape_text, share_text, size_text
from app.weightfiles.strict_json import shown
from app.wording import Language

Tensor = Mapping[str, Any]

SORTS: Mapping[str, SortKey[Tensor]] = {
    "place": lambda tensor: (tensor["place"],),
    "name": lambda tensor: (tensor["name"],),
    "size": lambda tensor: (tensor["bytes"],),
    "min": lambda tensor: (tensor["min"],),
    "max": lambda tensor: (tensor["max"],),
    "mean": lambda tensor: (tensor["mean"],),
    "std": lambda tensor: (tensor["std"],),
    "zeros": lambda tensor: (_share(tensor, "zeros"),),
    "strange": lambda tensor: (_share(tensor, "nans", "infinities"),),
}
DESCENDING_FIRST = frozenset({"size", "max", "mean", "std", "zeros", "strange"})


@dataclass(frozen=True, slots=True)
class Figure:
    """A statistic; `href` leads to its bits."""

    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class TensorRow:
    """One tensor. `name_parts` are where a long name may be broken."""

    name: str
    name_parts: tuple[str, ...]
    href: str
    dtype: str
    shape: str
    elements: str
    size: str
    min: Figure
    max: Figure
    mean: str
    std: str
    zeros: str
    nans: str
    infinities: str
    has_strange: bool
    histogram: Histogram | None


def tensor_row(tensor: Tensor, language: Language, link: str, *, width: int = 128, height: int = 28) -> TensorRow:
    """One tensor of an analysis; `link` is the query string of the table that it stands in."""
    elements = tensor["elements"]
    return TensorRow(
        name=tensor["name"],
        name_parts=name_parts(tensor["name"]),
        href=f"{link}{'&' if len(link) > 1 else ''}{urlencode({'tensor': tensor['name']})}#tensor",
        dtype=tensor["dtype"],
        shape=shape_text(tensor["shape"]),
        elements=count_text(elements),
        size=size_text(tensor["bytes"]),
        min=_figure(tensor, "min", language),
        max=_figure(tensor, "max", language),
        mean=number_text(tensor["mean"]),
        std=number_text(tensor["std"]),
        zeros=_share_text(tensor, "zeros"),
        nans=_share_text(tensor, "nans"),
        infinities=_share_text(tensor, "infinities"),
        has_strange=bool(tensor["nans"] or tensor["infinities"]),
        histogram=histogram_of(tensor["histogram"], width=width, height=height),
    )


def name_parts(name: str) -> tuple[str, ...]:
    """A name cut behind each `.`, `_` and `/`: `encoder.`, `layer.`, `0.`, ...; what is invisible is escaped."""
    visible = shown(name, limit=len(name))
    return tuple(re.findall(r"[^._/]*[._/]|[^._/]+$", visible)) or (visible,)


def _figure(tensor: Tensor, statistic: str, language: Language) -> Figure:
    value = tensor[statistic]
    if value is None:
        return Figure(number_text(None))
    return Figure(number_text(value), inspect_address(language, value=repr(value), format=tensor["dtype"]))


def _share(tensor: Tensor, *counts: str) -> float | None:
    if any(tensor[count] is None for count in counts) or not tensor["elements"]:
        return None
    return float(sum(tensor[count] for count in counts) / tensor["elements"])


def _share_text(tensor: Tensor, count: str) -> str:
    return number_text(None) if tensor[count] is None else share_text(tensor[count], tensor["elements"])
