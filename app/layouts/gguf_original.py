"""The weights of a GGUF file as the model that it was made of has them: names, order of rows, and single experts.

This undoes what `gguf_model` does, so that a GGUF file can be compared with its original, and made plain again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from app.layouts.gguf_names import EXPERTS_SUFFIX, FAMILIES, hf_name, module_of, permuted_rows
from app.layouts.gguf_rows import RowOrder
from app.layouts.read_gguf import LAYOUT, BlockDecoder
from app.layouts.rectangles import read_run
from app.layouts.weight import Encoding, Weight
from app.weightfiles.file_header import FileHeader, TensorEntry
from app.weightfiles.gguf_layout import KeyValue, ValueType
from app.weightfiles.tensor_reader import TensorReader

MOST_EXPERTS = 4096
MOST_HEAD_ELEMENTS = 1 << 24
"""A head is put in order at once; those of real models are eight times smaller."""
PREFIX, FIRST_POSITION = "bitlens.name_prefix", "bitlens.first_position"
"""Keys of our own, which no other program reads: what the names and shapes do not tell."""
POSITIONS = "position_embd.weight"


@dataclass(frozen=True, slots=True)
class RowsDecoder:
    """A `Decoder` of a weight whose heads' rows are put back into the model's order."""

    stored: Weight
    order: RowOrder

    @property
    def unit(self) -> int:
        """See `Decoder`: a head."""
        return self.order.head_rows * self.order.columns

    def decode(self, reader: TensorReader, first: int, count: int) -> Tensor:
        """See `Decoder`."""
        unit = self.unit
        begin, end = first // unit * unit, -(-(first + count) // unit) * unit
        rows = _numbers(reader, self.stored, begin, end - begin).view(-1, self.order.columns)
        return self.order.restored(rows).view(-1)[first - begin : first - begin + count]


def original_weights(header: FileHeader, weights: Sequence[Weight]) -> tuple[Weight, ...]:
    """The weights of a GGUF file under Hugging Face's names, where llama.cpp's architecture is known.

    Others stay as they are, as do the weights of any other container.
    """
    architecture = header.metadata.get("general.architecture")
    if header.kind != LAYOUT or not isinstance(architecture, str) or architecture not in FAMILIES:
        return tuple(weights)
    return tuple(found for weight in weights for found in _originals(weight, architecture, header.metadata))


def original_pairs(prefix: str, first_position: int) -> tuple[KeyValue, ...]:
    """What a file says of its original: what stood before the names, and how many first rows are not stored."""
    pairs = (
        KeyValue(PREFIX, ValueType.STRING, prefix),
        KeyValue(FIRST_POSITION, ValueType.UINT32, first_position),
    )
    return tuple(pair for pair in pairs if pair.value)


def _originals(weight: Weight, architecture: str, metadata: Mapping[str, Any]) -> Iterator[Weight]:
    if module_of(weight.name).endswith(EXPERTS_SUFFIX):
        yield from _experts(weight, architecture)
        return
    prefix = metadata.get(PREFIX)
    name = hf_name(weight.name, architecture)
    if name is None or (weight.name == POSITIONS and metadata.get(FIRST_POSITION)):
        yield weight
        return
    name = prefix + name if isinstance(prefix, str) and prefix in FAMILIES[architecture].prefixes else name
    if permuted_rows(weight.name, architecture):
        yield replace(_restored(weight, architecture, metadata), name=name)
    else:
        yield replace(weight, name=name)


def _restored(weight: Weight, architecture: str, metadata: Mapping[str, Any]) -> Weight:
    """With its rows in the model's order; unchanged where the metadata do not fit the shape."""
    key = "head_count" if module_of(weight.name) == "attn_q" else "head_count_kv"
    heads = metadata.get(f"{architecture}.attention.{key}", metadata.get(f"{architecture}.attention.head_count"))
    rows = weight.shape[0] if weight.shape else 0
    if not isinstance(heads, int) or heads < 1 or rows % (2 * heads) or not weight.elements or not weight.is_readable:
        return weight
    columns = weight.shape[-1] if len(weight.shape) > 1 else 1
    if rows // heads * columns > MOST_HEAD_ELEMENTS:
        return weight
    scheme = weight.format if weight.encoding is None else weight.encoding.scheme
    decoder = RowsDecoder(weight, RowOrder(columns, rows // heads))
    return replace(weight, encoding=Encoding(LAYOUT, scheme, decoder))


def _experts(weight: Weight, architecture: str) -> Iterator[Weight]:
    """Each slice of the outermost dimension; the whole where that is not what it looks like."""
    experts = weight.shape[0] if len(weight.shape) == 3 else 0
    names = [hf_name(weight.name, architecture, expert) for expert in range(min(experts, MOST_EXPERTS + 1))]
    if not 0 < experts <= MOST_EXPERTS or None in names or len(weight.parts) != 1:
        yield weight
        return
    for expert, name in enumerate(names):
        assert name is not None
        part = _slice(weight.parts[0], expert, experts)
        encoding = weight.encoding and replace(weight.encoding, decoder=BlockDecoder(part))
        yield replace(weight, name=name, shape=part.shape, parts=(part,), encoding=encoding)


def _slice(entry: TensorEntry, index: int, count: int) -> TensorEntry:
    size = entry.bytes // count
    begin = entry.begin + index * size
    return replace(entry, shape=entry.shape[1:], begin=begin, end=begin + size)


def _numbers(reader: TensorReader, weight: Weight, first: int, count: int) -> Tensor:
    if weight.encoding is None:
        return read_run(reader, weight.parts[0], first, count)
    found = weight.encoding.decoder.decode(reader, first, count)
    return found if found.is_contiguous() else torch.clone(found)
