"""The writing side's contract: how a layout stores one weight, and what it says about a whole output.

A session is begun for one source. For each weight it is asked for a coder: an object that knows, before the first byte
is computed, which stored tensors it will fill, so that a file is laid out at once and a killed job is repeated to the
same bytes. Where a layout cannot hold a weight it answers with an obstacle, never with something else in silence.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol

from torch import Tensor

from app.layouts.weights import Weight
from app.metrics.error_sums import PairSums
from app.schemes.entries import SchemeEntry, SchemeOptions
from app.schemes.registry import find_entry, find_scheme
from app.schemes.scheme import Choices, Scheme
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.range_reader import WeightFile

Write = Callable[[str, int, Tensor | memoryview], None]
"""Writes bytes of a stored tensor: its name, the offset in its bytes, and the data, which may be used again after."""

_DEFAULTS = SchemeOptions()
_CHOICES = Choices()
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ChosenScheme:
    """A scheme of the engine with what a person chose for it; None in options where the default holds."""

    name: str
    options: SchemeOptions = _DEFAULTS
    choices: Choices = _CHOICES
    text: str = ""
    """As `app.tasks.scheme_words` writes it: `int4:group=128:mse`."""

    @property
    def entry(self) -> SchemeEntry:
        """Its row in the table of schemes."""
        return find_entry(self.name)

    def scheme(self, **layout_defaults: Any) -> Scheme:
        """The scheme, with the layout's own defaults for fields of `SchemeOptions` that nobody chose.

        A default that the scheme does not take is left out.

        Raises:
            InvalidInput: `scheme.*`.
        """
        taken = {
            name: value
            for name, value in layout_defaults.items()
            if name in self.entry.options and getattr(self.options, name) == getattr(_DEFAULTS, name)
        }
        return find_scheme(self.name, replace(self.options, **taken))


@dataclass(frozen=True, slots=True)
class Band:
    """Some numbers of a weight as a matrix: whole rows from `row` on, or one row's from `column` on."""

    row: int
    column: int
    values: Tensor
    """float32, contiguous, `[rows, columns]`, NaN and infinities and all; overwritten by the next band."""


class Numbers(Protocol):
    """The numbers of one weight, read as often as a coder wants."""

    @property
    def weight(self) -> Weight:
        """Whose numbers these are."""
        ...

    @property
    def shape(self) -> tuple[int, int]:
        """As a matrix: rows are what the last dimension holds; a vector or scalar is one row."""
        ...

    def reshaped(self, shape: tuple[int, int]) -> "Numbers":
        """The same numbers in the same order as another matrix."""
        ...

    def turned(self) -> "Numbers":
        """The matrix transposed; only of a plain weight of two dimensions."""
        ...

    def bands(self, unit_rows: int = 1, unit_columns: int | None = None) -> Iterator[Band]:
        """All numbers, row by row, in bands of bounded size.

        Bands begin at multiples of `unit_rows`. With `unit_columns` a row longer than a band is cut at multiples of
        that, one row a band; without, a band holds at least `unit_rows` whole rows, however long.
        """
        ...

    def chunks(self) -> Iterator[tuple[int, Tensor]]:
        """The first element's index, and flat elements in the weight's own dtype."""
        ...

    def byte_chunks(self, part: int = 0) -> Iterator[tuple[int, memoryview]]:
        """The stored bytes of one of the weight's tensors as they are: offset, and bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a coder did to a weight."""

    sums: PairSums | None
    """Over the original numbers and those that readers get back; None where not a bit changed."""
    saturated: int = 0
    """Finite numbers that became the largest one of a format without infinity."""
    overflowed: int = 0
    """Finite numbers that became infinite."""


class Coder(Protocol):
    """How one weight is stored. Planned from names, shapes and choices alone; `write` may be repeated."""

    @property
    def stored(self) -> tuple[StoredTensor, ...]:
        """The tensors that it fills, the one with the codes first."""
        ...

    @property
    def stored_as(self) -> str:
        """In a few words that need no translation: `pack-quantized int4, bfloat16 scales`."""
        ...

    def write(self, numbers: Numbers, write: Write) -> Outcome:
        """Fills every byte of `stored` but those that are zero.

        Raises:
            WeightFileError: `compress.not-finite`, `compress.infinity`: the numbers cannot be stored so.
            InvalidInput: `scheme.*`, what the engine refuses.
        """
        ...


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a layout cannot hold a weight: the id of a sentence `kept.REASON`, and its figures."""

    reason: str
    figures: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Planned:
    """One weight of an output: compressed by `chosen`, or kept where that is None."""

    weight: Weight
    chosen: ChosenScheme | None
    coder: Coder


@dataclass(frozen=True, slots=True)
class Description:
    """What an output says about itself."""

    metadata: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """For the container's own metadata; safetensors takes texts only."""
    config: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    """Top-level keys for config.json, such as `quantization_config`; nothing is written where there are none."""
    dropped_config: tuple[str, ...] = ()
    """Top-level keys of the source's config.json that no longer hold."""
    notes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    """By weight: the id of a sentence that its report row carries (`note.unusual-name`)."""
    remarks: tuple[str, ...] = ()
    """Ids of sentences about the whole output, for the report: `remark.not-for-llama-cpp`."""


class LayoutSession(Protocol):
    """One output in the making."""

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """How the weight is stored by that scheme.

        Raises:
            InvalidInput: options that the layout can hold for no weight at all.
        """
        ...

    def keeper(self, weight: Weight) -> Coder:
        """How the weight is stored as it is; an encoded one as plain numbers of its format.

        Raises:
            WeightFileError: `layout.cannot-keep`, the container has no type for it.
        """
        ...

    def describe(self, planned: Sequence[Planned]) -> Description:
        """What the whole output says about itself, all of its files together."""
        ...

    def lay_out(self, stored: Sequence[StoredTensor], description: Description) -> FileLayout:
        """One file with these tensors."""
        ...


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """A layout that can be written: a row of `app.layouts.table`."""

    name: str
    suffix: str
    """Of its files: `.safetensors`, `.gguf`, `.onnx`."""
    file_name: str
    """Of a single one in a folder: `model.safetensors`."""
    takes: Callable[[SchemeEntry], bool]
    """Whether it has a place for a scheme's codes."""
    begin: Callable[[WeightFile, Sequence[Weight]], LayoutSession]
    """Starts an output from a source and its weights."""
    may_be_sharded: bool = True
