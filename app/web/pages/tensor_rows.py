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
    "min": lambda tensor: (tensor.get("min"),),
    "max": lambda tensor: (tensor.get("max"),),
    "mean": lambda tensor: (tensor.get("mean"),),
    "std": lambda tensor: (tensor.get("std"),),
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
    """Or the scheme of a quantized one."""
    shape: str
    elements: str
    size: str
    is_known: bool
    """Whether its figures are found yet."""
    min: Figure
    max: Figure
    mean: str
    std: str
    zeros: str
    nans: str
    infinities: str
    has_strange: bool
    histogram: Histogram | None


def tensor_row(tensor: Tensor, language: Language, file_href: str, *, width: int = 128, height: int = 28) -> TensorRow:
    """One tensor of an analysis or, before it is analysed, of an outline; `file_href` is the file's page."""
    return TensorRow(
        name=tensor["name"],
        name_parts=name_parts(tensor["name"]),
        href=tensor_address(file_href, tensor["name"]),
        dtype=stored_text(tensor),
        shape=shape_text(tensor["shape"]),
        elements=count_text(tensor["elements"]),
        size=size_text(tensor["bytes"]),
        is_known="zeros" in tensor,
        min=_figure(tensor, "min", language),
        max=_figure(tensor, "max", language),
        mean=number_text(tensor.get("mean")),
        std=number_text(tensor.get("std")),
        zeros=_share_text(tensor, "zeros"),
        nans=_share_text(tensor, "nans"),
        infinities=_share_text(tensor, "infinities"),
        has_strange=bool(tensor.get("nans") or tensor.get("infinities")),
        histogram=histogram_of(tensor.get("histogram"), width=width, height=height, has_table=False),
    )


def tensor_address(file_href: str, name: str) -> str:
    """The page of one tensor."""
    return f"{file_href}/tensors?{urlencode({'name': name}, errors='surrogatepass')}"


def stored_text(tensor: Tensor) -> str:
    """How a tensor is stored: its dtype, or its layout and scheme."""
    encoding = tensor.get("encoding")
    return f"{encoding['layout']} {encoding['scheme']}" if encoding else str(tensor["dtype"])


def name_parts(name: str) -> tuple[str, ...]:
    """A name cut behind each `.`, `_` and `/`: `encoder.`, `layer.`, `0.`, ...; what is invisible is escaped."""
    visible = shown(name, limit=len(name))
    return tuple(re.findall(r"[^._/]*[._/]|[^._/]+$", visible)) or (visible,)


def _figure(tensor: Tensor, statistic: str, language: Language) -> Figure:
    value = tensor.get(statistic)
    if value is None:
        return Figure(number_text(None))
    return Figure(number_text(value), inspect_address(language, value=repr(value), format=tensor["dtype"]))


def _share(tensor: Tensor, *counts: str) -> float | None:
    if any(tensor.get(count) is None for count in counts) or not tensor["elements"]:
        return None
    return float(sum(tensor[count] for count in counts) / tensor["elements"])


def _share_text(tensor: Tensor, count: str) -> str:
    return number_text(None) if tensor.get(count) is None else share_text(tensor[count], tensor["elements"])
