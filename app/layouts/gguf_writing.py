"""The layout of GGUF: which weights it has room for, and the whole file's names and metadata."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.errors import InvalidInput, WeightFileError
from app.layouts.gguf_coders import (
    BlockCoder,
    BytesCoder,
    ExpertSlice,
    NothingCoder,
    PlainCoder,
    holds_all,
    scale_name,
)
from app.layouts.gguf_extra_tensor import BEARER, RopeFactorsCoder
from app.layouts.gguf_file_metadata import copied_metadata, file_type_pairs
from app.layouts.gguf_model import OutputModel, Target, copied_model, model_of
from app.layouts.gguf_rows import RowOrder, order_of
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, Obstacle, OutputLayout, Planned
from app.schemes.entries import SchemeEntry
from app.schemes.gguf_affine import GgufAffineScheme
from app.schemes.gguf_blocks import GgufBlockScheme
from app.schemes.gguf_nvfp4 import GgufNvfp4Scheme
from app.schemes.k_quants import SuperBlockScheme
from app.schemes.selection import Kept
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.gguf_layout import ALIGNMENT, Metadata, lay_out, type_named
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.storage_types import StorageType
from app.weightfiles.strict_json import shown

LAYOUT = "gguf"
FLOAT32_REASON, LEFT_OUT_REASON, EXPERTS_REASON = "gguf-float32", "gguf-left-out", "gguf-experts"
"""Of obstacles: each has a sentence `kept.REASON`."""
LEFT_OUT = "note.gguf-left-out"
_CASTS = ("float16", "bfloat16")
_FLOATS = ("float16", "bfloat16", "float32")
_WIDER = ("float16", "float32", "int8", "int16", "int32", "int64", "float64")
"""Where numbers go whose own type GGUF does not have: the first of these that holds them all."""
_FLOAT32 = "float32"


@dataclass(frozen=True, slots=True)
class GgufSession:
    """One output in this layout."""

    file: WeightFile
    model: OutputModel

    @classmethod
    def begin(cls, file: WeightFile, weights: Sequence[Weight]) -> "GgufSession":
        """Starts an output."""
        return cls(file, copied_model(weights) if file.header.kind == LAYOUT else model_of(file.source, weights))

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        target = self.model.targets[weight.name]
        if target.is_left_out:
            return Obstacle(LEFT_OUT_REASON)
        if len(weight.shape) < 2:
            return Obstacle(Kept.ONE_DIMENSIONAL)
        if target.is_float32:
            return Obstacle(FLOAT32_REASON)
        kind = type_named(chosen.entry.element if chosen.entry.family == "cast" else chosen.name)
        assert kind is not None, "the layout takes only schemes that it has types for"
        if weight.shape[-1] % kind.block_elements:
            return Obstacle(Kept.ROW_LENGTH, {"columns": weight.shape[-1], "size": kind.block_elements})
        if chosen.entry.family == "cast":
            if chosen.choices.seed is not None:
                raise InvalidInput("layout.option", layout=LAYOUT, option="stochastic")
            return self._plain(weight, target, kind)
        return self._blocks(weight, target, chosen, kind)

    def keeper(self, weight: Weight) -> Coder:
        """See `LayoutSession`: a GGUF file's tensors as they are, others in the type nearest to theirs."""
        target = self.model.targets[weight.name]
        if target.is_left_out:
            return NothingCoder()
        if self.model.is_copy:
            return BytesCoder(weight)
        return self._plain(weight, target, self._kept_type(weight, target))

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`."""
        notes = {each.weight.name: LEFT_OUT for each in planned if self.model.targets[each.weight.name].is_left_out}
        return Description(notes=notes, remarks=self.model.remarks)

    def lay_out(self, stored: Sequence[StoredTensor], description: Description) -> FileLayout:
        """See `LayoutSession`."""
        del description
        joined = _joined(stored)
        if self.model.is_copy:
            metadata, alignment = copied_metadata(self.file, joined)
        else:
            kind, version = file_type_pairs(joined)
            metadata, alignment = Metadata.of((*self.model.pairs, kind, version)), ALIGNMENT
        layout = lay_out(joined, metadata, alignment)
        begins = dict(layout.begins)
        for tensor in stored:
            if isinstance(tensor, ExpertSlice):
                begins[tensor.name] = layout.begins[tensor.whole] + tensor.index * tensor.bytes
        return FileLayout(layout.head, begins, layout.file_bytes)

    def _blocks(self, weight: Weight, target: Target, chosen: ChosenScheme, kind: StorageType) -> Coder | Obstacle:
        scheme = chosen.scheme()
        assert isinstance(scheme, GgufBlockScheme | GgufAffineScheme | SuperBlockScheme)
        slot, order = _slot(weight, target, kind), _order(weight, target)
        if not isinstance(scheme, GgufNvfp4Scheme):
            return BlockCoder(weight, slot, order, scheme, chosen.choices)
        if target.expert is not None:
            return Obstacle(EXPERTS_REASON)
        if not target.name.endswith(".weight"):
            # Readers look for the scale of a whole tensor beside such names only.
            return Obstacle(Kept.LAYOUT)
        scale = StoredTensor.of(scale_name(target.name), _FLOAT32, (1,))
        return BlockCoder(weight, slot, order, scheme, chosen.choices, scale)

    def _plain(self, weight: Weight, target: Target, kind: StorageType) -> Coder:
        coder = PlainCoder(weight, _slot(weight, target, kind), _order(weight, target))
        factors = self.model.rope_factors
        return RopeFactorsCoder(coder, factors) if factors and target.name == BEARER else coder

    def _kept_type(self, weight: Weight, target: Target) -> StorageType:
        """The type that a kept weight is stored in.

        Raises:
            WeightFileError: `layout.cannot-keep`.
        """
        own = weight.format
        is_float = own in {*_FLOATS, "float64"}
        if is_float and (len(weight.shape) < 2 or target.is_float32 or (own == "float64" and self.model.architecture)):
            own = _FLOAT32
        for name in (own, *_WIDER):
            kind = type_named(name)
            if weight.is_readable and kind is not None and (name == own or holds_all(own, name)):
                return kind
        raise WeightFileError("layout.cannot-keep", tensor=shown(weight.name), type=weight.format[:40])


def _slot(weight: Weight, target: Target, kind: StorageType) -> StoredTensor:
    shape = weight.shape
    if target.first_row:
        shape = (shape[0] - target.first_row, *shape[1:])
    if target.expert is None:
        return StoredTensor(target.name, kind, shape)
    name = f"{target.name}[{target.expert}]"
    return ExpertSlice(name, kind, shape, target.name, target.expert, target.experts)


def _order(weight: Weight, target: Target) -> RowOrder:
    return order_of(weight.shape, target.head_rows, target.first_row)


def _joined(stored: Sequence[StoredTensor]) -> list[StoredTensor]:
    """The tensors of the file: slices as the one tensor that they are part of, where the first of them stands.

    Raises:
        WeightFileError: `gguf.experts-differ`, they are not all stored alike; `gguf.written-twice`.
    """
    found: dict[str, StoredTensor] = {}
    for tensor in stored:
        if isinstance(tensor, ExpertSlice):
            whole = StoredTensor(tensor.whole, tensor.type, (tensor.count, *tensor.shape))
            if found.setdefault(tensor.whole, whole) != whole:
                raise WeightFileError("gguf.experts-differ", tensor=shown(tensor.whole))
        elif found.setdefault(tensor.name, tensor) is not tensor:
            raise WeightFileError("gguf.written-twice", tensor=shown(tensor.name))
    return list(found.values())


def _takes(entry: SchemeEntry) -> bool:
    return entry.layout == LAYOUT or (entry.family == "cast" and entry.element in _CASTS)


GGUF = OutputLayout(LAYOUT, ".gguf", "model.gguf", _takes, GgufSession.begin, may_be_sharded=False)
"""Models for llama.cpp."""
