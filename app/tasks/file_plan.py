"""What a compression will write, known from the headers and the options alone: the same for every step of a job."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from app.errors import WeightFileError
from app.layouts.plain_writing import CONFIG_KEY
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, LayoutSession, Obstacle, Planned
from app.schemes.selection import Candidate, Kept, reason_to_keep
from app.tasks.compress_options import CompressOptions
from app.tasks.shards import shard_names, shards_by_part, shards_by_size
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.storage_types import BY_FORMAT

STEP_BYTES = 64 << 20
STEP_TENSORS = 8192
_SHAPE_BYTES = 16
"""What a layout may write beside codes and scales without making a weight larger."""
TIED_KEY = "tied_tensors"
"""In a file's metadata: JSON `{dropped name: kept name}` of tensors that were the same memory."""
_TELLING_SUFFIXES = (".safetensors", ".onnx")
"""Of files whose metadata has a place for that."""


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """What becomes of one weight: `kept` says why it is copied, or is None."""

    weight: Weight
    kept: Obstacle | None
    chosen: ChosenScheme | None
    coder: Coder
    file: int = 0
    """The index of the output's file that holds it."""

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """What is written for it."""
        return self.coder.stored

    @property
    def bytes_after(self) -> int:
        """What that takes."""
        return sum(tensor.bytes for tensor in self.stored)


@dataclass(frozen=True, slots=True)
class OutputFile:
    """One file of an output."""

    name: str
    """Of a single file, what it would be called in a folder."""
    layout: FileLayout


@dataclass(frozen=True)
class FilePlan:
    """All weights, in the order of their bytes in the source."""

    tensors: tuple[TensorPlan, ...]
    options: CompressOptions
    session: LayoutSession
    tied: Mapping[str, str]
    """Weights that are stored once, under another name."""
    file_names: tuple[str, ...]

    @cached_property
    def description(self) -> Description:
        """What the output says about itself."""
        planned = [Planned(plan.weight, plan.chosen, plan.coder) for plan in self.tensors]
        found = self.session.describe(planned)
        if not self.tied or self.options.output_layout.suffix not in _TELLING_SUFFIXES:
            return found
        tied = json.dumps(dict(sorted(self.tied.items())), ensure_ascii=False, separators=(",", ":"))
        return replace(found, metadata={**found.metadata, TIED_KEY: tied})

    @cached_property
    def files(self) -> tuple[OutputFile, ...]:
        """Where everything is written."""
        stored: list[list[StoredTensor]] = [[] for _ in self.file_names]
        for plan in self.tensors:
            stored[plan.file] += plan.stored
        return tuple(
            OutputFile(name, self.session.lay_out(tensors, self.description))
            for name, tensors in zip(self.file_names, stored, strict=True)
        )

    @property
    def bytes_after(self) -> int:
        """Of all files of weights."""
        return sum(file.layout.file_bytes for file in self.files)

    @cached_property
    def steps(self) -> tuple[range, ...]:
        """Indices of tensors: each step a run of small ones of one file, or one large one."""
        return tuple(_steps(self.tensors))

    @property
    def bytes_to_read(self) -> int:
        """Of the source."""
        return sum(plan.weight.bytes for plan in self.tensors)

    def bytes_before_step(self, step: int) -> int:
        """What the steps before have read."""
        return sum(plan.weight.bytes for plan in self.tensors[: self.steps[step].start])


def plan_file(file: WeightFile, weights: Sequence[Weight], options: CompressOptions, *, is_one_file: bool) -> FilePlan:
    """The plan for a source.

    `is_one_file`: all goes into one file, however the source is sharded.

    Raises:
        WeightFileError: `compress.nothing`, `compress.turned`, no tensor would change; `safetensors.written-twice`, a
            name that the scheme adds is taken; `compress.already-quantized`; `layout.*`.
    """
    if options.output_layout.name != "safetensors" and _is_quantized_otherwise(file, weights):
        raise WeightFileError("compress.already-quantized", scheme=options.chosen.name)
    kept, tied = _without_twins(weights)
    session = options.output_layout.begin(file, kept)
    plans = [_plan_weight(weight, options, session) for weight in kept]
    # Casts make a file of another container also where every number is in that format already.
    is_conversion = options.chosen.entry.family == "cast" and options.output_layout.suffix != f".{file.header.kind}"
    if not is_conversion and all(plan.kept is not None and plan.weight.encoding is None for plan in plans):
        if any(plan.kept is not None and plan.kept.reason == Kept.TURNED for plan in plans):
            raise WeightFileError("compress.turned", layout=options.output_layout.name)
        raise WeightFileError("compress.nothing", scheme=options.chosen.name, tensors=len(plans))
    if is_one_file or not options.output_layout.may_be_sharded:
        places = [0] * len(plans)
    else:
        places = _places(plans, options.shard_bytes)
    names = shard_names(options.output_layout.file_name, max(places, default=0) + 1)
    placed = tuple(
        TensorPlan(plan.weight, plan.kept, plan.chosen, plan.coder, place)
        for plan, place in zip(plans, places, strict=True)
    )
    return FilePlan(placed, options, session, tied, names)


def _is_quantized_otherwise(file: WeightFile, weights: Sequence[Weight]) -> bool:
    """Whether the file says that it is quantized, and no layout that is read knows how."""
    return CONFIG_KEY in file.header.metadata and all(weight.encoding is None for weight in weights)


def _places(plans: Sequence[TensorPlan], shard_bytes: int | None) -> list[int]:
    if shard_bytes is None:
        return shards_by_part([plan.weight.parts[0].part for plan in plans])
    return shards_by_size([plan.bytes_after for plan in plans], shard_bytes)


def _plan_weight(weight: Weight, options: CompressOptions, session: LayoutSession) -> TensorPlan:
    chosen = options.scheme_of(weight.name)
    candidate = Candidate(weight.name, weight.format, weight.shape)
    reason = reason_to_keep(candidate, chosen.entry, options.include, options.exclude)
    if not weight.is_readable:
        reason = reason or Kept.NOT_FLOATING
    if reason is not None:
        return TensorPlan(weight, Obstacle(reason), None, session.keeper(weight))
    coder = session.coder(weight, chosen)
    if isinstance(coder, Obstacle):
        return TensorPlan(weight, coder, None, session.keeper(weight))
    # Rows of one or two columns: the word that they are filled up to, and their scale, outweigh what is saved.
    if sum(stored.bytes for stored in coder.stored) > _plain_bytes(weight) + _SHAPE_BYTES:
        return TensorPlan(weight, Obstacle(Kept.LARGER), None, session.keeper(weight))
    return TensorPlan(weight, None, chosen, coder)


def _plain_bytes(weight: Weight) -> int:
    return BY_FORMAT[weight.format].bits_of(weight.elements) // 8 if weight.format in BY_FORMAT else weight.bytes


def _without_twins(weights: Sequence[Weight]) -> tuple[tuple[Weight, ...], dict[str, str]]:
    """Weights that have bytes of their own, and for the others whose bytes they share."""
    found: dict[object, Weight] = {}
    kept: list[Weight] = []
    tied: dict[str, str] = {}
    for weight in weights:
        places = tuple((part.part, part.begin, part.end, part.type, part.shape, part.strides) for part in weight.parts)
        is_there = weight.bytes > 0 and found.setdefault((places, weight.shape), weight) is not weight
        if is_there:
            tied[weight.name] = found[(places, weight.shape)].name
        else:
            kept.append(weight)
    return tuple(kept), tied


def _steps(tensors: Sequence[TensorPlan]) -> Iterator[range]:
    first = 0
    step_bytes = 0
    for index, plan in enumerate(tensors):
        is_full = step_bytes + plan.weight.bytes > STEP_BYTES or index - first >= STEP_TENSORS
        if index > first and (is_full or plan.file != tensors[first].file):
            yield range(first, index)
            first, step_bytes = index, 0
        step_bytes += plan.weight.bytes
    if first < len(tensors):
        yield range(first, len(tensors))
