"""What a compression will write, known from the header and the options alone: the same for every step of a job."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from app.errors import WeightFileError
from app.schemes.catalog import Layout
from app.schemes.compressed_tensors_config import CONFIG_KEY, int8_config
from app.schemes.int8 import WORD_BYTES, packed_columns
from app.schemes.selection import Candidate, Kept, reason_by_name, reason_to_keep
from app.tasks.compress_options import CompressOptions
from app.weightfiles.file_header import MAX_NAME_BYTES, FileHeader, TensorEntry
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.safetensors_layout import lay_out
from app.weightfiles.strict_json import shown

STEP_BYTES = 64 << 20
STEP_TENSORS = 8192
_WEIGHT = ".weight"


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """What becomes of one tensor: `kept` says why it is copied, or is None; `stored` is what is written for it."""

    entry: TensorEntry
    kept: Kept | None
    stored: tuple[StoredTensor, ...]

    @property
    def bytes_after(self) -> int:
        return sum(tensor.bytes for tensor in self.stored)

    @property
    def has_unusual_name(self) -> bool:
        """Loaders of the layout look for `*.weight`; other names get the same suffixes."""
        return len(self.stored) > 1 and not self.entry.name.endswith(_WEIGHT)


@dataclass(frozen=True)
class FilePlan:
    """All tensors, in the order of their bytes in the source."""

    tensors: tuple[TensorPlan, ...]
    options: CompressOptions
    source_metadata: dict[str, str]

    @cached_property
    def quantization_config(self) -> dict[str, object] | None:
        """What `config.json` and the metadata tell loaders; None for plain casts."""
        if self.options.card.layout is not Layout.COMPRESSED_TENSORS:
            return None
        # A head that shares its weights with the embedding is in no file, but it is a module all the same.
        ignored = {"lm_head"}
        ignored.update(
            plan.entry.name.removesuffix(_WEIGHT)
            for plan in self.tensors
            if plan.kept and plan.entry.name.endswith(_WEIGHT) and len(plan.entry.shape) > 1
        )
        has_embeddings = any(
            plan.kept is None and reason_by_name(plan.entry.name) is Kept.EMBEDDING for plan in self.tensors
        )
        assert self.options.granularity is not None
        return int8_config(granularity=self.options.granularity, ignore=sorted(ignored), has_embeddings=has_embeddings)

    @cached_property
    def layout(self) -> FileLayout:
        """Where everything is written."""
        metadata = dict(self.source_metadata)
        if self.quantization_config is not None:
            metadata[CONFIG_KEY] = json.dumps(self.quantization_config, separators=(",", ":"))
        return lay_out((stored for plan in self.tensors for stored in plan.stored), metadata)

    @cached_property
    def steps(self) -> tuple[range, ...]:
        """Indices of tensors: each step a run of small ones, or one large one."""
        return tuple(_steps(self.tensors))

    @property
    def bytes_to_read(self) -> int:
        return sum(plan.entry.bytes for plan in self.tensors)

    def bytes_before_step(self, step: int) -> int:
        """What the steps before have read."""
        return sum(plan.entry.bytes for plan in self.tensors[: self.steps[step].start])


def plan_file(header: FileHeader, options: CompressOptions) -> FilePlan:
    """The plan for a source with that header.

    Raises:
        WeightFileError: `compress.nothing`, no tensor would change; `compress.already-quantized`;
            `safetensors.written-twice`, a name that the scheme adds is taken.
    """
    card = options.card
    if card.layout is Layout.COMPRESSED_TENSORS and CONFIG_KEY in header.metadata:
        raise WeightFileError("compress.already-quantized", scheme=card.name)
    plan = FilePlan(tuple(_plan_tensor(entry, options) for entry in header.tensors), options, dict(header.metadata))
    if all(tensor.kept for tensor in plan.tensors):
        raise WeightFileError("compress.nothing", scheme=card.name, tensors=len(plan.tensors))
    return plan


def _plan_tensor(entry: TensorEntry, options: CompressOptions) -> TensorPlan:
    candidate = Candidate(entry.name, entry.type.format, entry.shape)
    kept = reason_to_keep(candidate, options.card, options.include, options.exclude)
    if kept is None and options.card.is_cast:
        return TensorPlan(entry, None, (StoredTensor.of(entry.name, options.card.element, entry.shape),))
    if kept is None:
        codes, scales, shape = _packed_tensors(entry, options)
        # Rows of one or two columns: the word that they are filled up to, and their scale, outweigh what is saved.
        if codes.bytes + scales.bytes <= entry.bytes:
            return TensorPlan(entry, None, (codes, scales, shape))
        kept = Kept.LARGER
    return TensorPlan(entry, kept, (StoredTensor.of(entry.name, entry.type.format, entry.shape),))


def _packed_tensors(entry: TensorEntry, options: CompressOptions) -> tuple[StoredTensor, StoredTensor, StoredTensor]:
    """Codes, scales and shape."""
    rows, columns = entry.shape
    scale_shape = (rows, 1) if options.granularity == "channel" else (1,)
    scale_format = "float32" if entry.type.format == "float64" else entry.type.format
    stored = (
        StoredTensor.of(f"{entry.name}_packed", "int32", (rows, packed_columns(columns) // WORD_BYTES)),
        StoredTensor.of(f"{entry.name}_scale", scale_format, scale_shape),
        StoredTensor.of(f"{entry.name}_shape", "int64", (2,)),
    )
    if len(stored[0].name.encode("utf-8")) > MAX_NAME_BYTES:
        raise WeightFileError("compress.name-too-long", tensor=shown(entry.name))
    return stored


def _steps(tensors: tuple[TensorPlan, ...]) -> Iterator[range]:
    first = 0
    step_bytes = 0
    for index, plan in enumerate(tensors):
        if index > first and (step_bytes + plan.entry.bytes > STEP_BYTES or index - first >= STEP_TENSORS):
            yield range(first, index)
            first, step_bytes = index, 0
        step_bytes += plan.entry.bytes
    if first < len(tensors):
        yield range(first, len(tensors))
