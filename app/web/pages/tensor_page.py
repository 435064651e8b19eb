"""The page of one tensor of a file as values: figures, charts, outliers, how it is stored, and its heat map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.formats import format_names
from app.web.histogram import Histogram, histogram_of
from app.web.pages.addresses import format_address, inspect_address
from app.web.pages.file_branches import visible
from app.web.pages.tensor_charts import Bits, Channels, Magnitudes, bits_of, channels_of, magnitudes_of
from app.web.pages.tensor_look import TensorLook, look_address
from app.web.pages.tensor_rows import TensorRow, tensor_row
from app.web.quantities import count_text, number_text, share_text, size_text
from app.wording import Language

HISTOGRAM = (640, 160)


@dataclass(frozen=True, slots=True)
class LargestRow:
    """One of the largest magnitudes: where it stands, and the way to its bits and its neighbourhood."""

    place: str
    value: str
    sigmas: str
    href: str
    look_href: str


@dataclass(frozen=True, slots=True)
class Outliers:
    """What lies far from the mean."""

    count: str
    share: str
    sigmas: int
    below: str
    above: str
    is_none: bool


@dataclass(frozen=True, slots=True)
class StoredPart:
    """A stored tensor behind a quantized weight."""

    name: str
    dtype: str
    shape: str
    size: str


@dataclass(frozen=True, slots=True)
class BlockLook:
    """The first block of a quantized weight: its bytes, and the numbers that they stand for."""

    elements: int
    octets: tuple[str, ...]
    values: tuple[str, ...]
    shown: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """How a quantized weight is stored."""

    layout: str
    scheme: str
    bits_per_weight: str
    parts: tuple[StoredPart, ...]
    block: BlockLook | None


@dataclass(frozen=True, slots=True)
class TensorPage:
    """The view of `tensor.html` and of `_tensor.html`, which it includes."""

    href: str
    file_href: str
    file_name: str
    name: str
    tensor: TensorRow
    role: str
    format_href: str | None
    histogram: Histogram | None
    magnitudes: Magnitudes | None
    bits: Bits | None
    channels: Channels | None
    outliers: Outliers | None
    largest: tuple[LargestRow, ...]
    stored: Stored | None
    look: TensorLook | None


def tensor_page(
    tensor: Mapping[str, Any], look: TensorLook | None, *, file_href: str, file_name: str, language: Language
) -> TensorPage:
    """The page; `tensor` is all that is known of it."""
    href = f"{file_href}/tensors"
    width, height = HISTOGRAM
    dtype = str(tensor["dtype"])
    return TensorPage(
        href=href,
        file_href=file_href,
        file_name=file_name,
        name=visible(str(tensor["name"])),
        tensor=tensor_row(tensor, language, file_href),
        role=str(tensor.get("role", "other")),
        format_href=format_address(language, dtype) if dtype in format_names() else None,
        histogram=histogram_of(tensor.get("histogram"), width=width, height=height),
        magnitudes=magnitudes_of(tensor.get("binades")),
        bits=bits_of(tensor.get("bits")),
        channels=channels_of(tensor.get("channels")),
        outliers=_outliers(tensor),
        largest=_largest(tensor, href, language),
        stored=_stored(tensor),
        look=look,
    )


def _outliers(tensor: Mapping[str, Any]) -> Outliers | None:
    found = tensor.get("outliers")
    if found is None:
        return None
    return Outliers(
        count=count_text(found["count"]),
        share=share_text(found["count"], tensor["elements"]),
        sigmas=found["sigmas"],
        below=number_text(found["below"]),
        above=number_text(found["above"]),
        is_none=not found["count"],
    )


def _largest(tensor: Mapping[str, Any], href: str, language: Language) -> tuple[LargestRow, ...]:
    mean, std = tensor.get("mean"), tensor.get("std")
    return tuple(
        LargestRow(
            place=", ".join(str(index) for index in _index(extreme["index"], tensor["shape"])),
            value=number_text(extreme["value"]),
            sigmas=f"{abs(extreme['value'] - mean) / std:.1f}" if mean is not None and std else "–",
            href=inspect_address(language, value=repr(extreme["value"]), format=str(tensor["dtype"])),
            look_href=look_address(extreme["index"], tensor, href),
        )
        for extreme in tensor.get("largest") or ()
    )


def _index(place: int, shape: Sequence[int]) -> list[int]:
    found = []
    for extent in reversed(shape):
        place, index = divmod(place, max(extent, 1))
        found.append(index)
    return found[::-1]


def _stored(tensor: Mapping[str, Any]) -> Stored | None:
    encoding = tensor.get("encoding")
    if encoding is None:
        return None
    elements = tensor["elements"]
    return Stored(
        layout=encoding["layout"],
        scheme=encoding["scheme"],
        bits_per_weight=number_text(8 * tensor["bytes"] / elements, 4) if elements else "–",
        parts=tuple(_part(part) for part in tensor.get("stored") or ()),
        block=_block(tensor.get("block")),
    )


def _part(part: Mapping[str, Any]) -> StoredPart:
    return StoredPart(
        name=visible(part["name"]),
        dtype=part["dtype"],
        shape=" × ".join(str(extent) for extent in part["shape"]),
        size=size_text(part["bytes"]),
    )


def _block(block: Mapping[str, Any] | None) -> BlockLook | None:
    if block is None:
        return None
    octets = block["bytes"]
    return BlockLook(
        elements=block["elements"],
        octets=tuple(octets[start : start + 2] for start in range(0, len(octets), 2)),
        values=tuple(number_text(value, 3) for value in block["values"]),
        shown=block["shown"],
        is_whole=block["is_whole"],
    )
