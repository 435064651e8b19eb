"""Quantizes a small matrix with up to four schemes: for each what is stored, what comes back and the error."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.errors import AppError, InvalidInput, TooLarge
from app.formats import Format, find_format
from app.formats.bits import hex_digits
from app.metrics.tensor_error import TensorError, clipped_count, tensor_error
from app.metrics.theory import DECIBELS_A_BIT
from app.schemes.entries import SchemeEntry
from app.schemes.hadamard import Rotation
from app.schemes.registry import entry_or_none, find_entry, find_scheme
from app.schemes.scheme import Choices, Elements, QuantizedTensor, ScaleRule, Scheme, Storage
from app.schemes.search_names import search_name
from app.tasks.quantize_elements import block_offsets, block_scales, element_codes, element_name, ends
from app.tasks.quantize_matrix import read_matrix
from app.tasks.quantize_request import MOST_SCHEMES, QuantizeRequest, SchemeChoice

BYTES_OF_FLOAT32 = 4


@dataclass(frozen=True)
class Quantized:
    """One scheme's work on the matrix. Tensors are `[rows, columns]` where nothing else is said."""

    scheme: Scheme
    values: Tensor
    """float32: what the scheme was given, which is the rotated matrix where a rotation was asked for."""
    stored: QuantizedTensor
    elements: Elements
    """Codes as the layout writes them, levels, scales and what is added: of every number."""
    element: Format | None
    """The format of a code, where `app.formats` has it."""
    element_codes: Tensor | None
    """int64: the bits in that format of each number, for links to Inspect; None where it has none."""
    block_scales: Tensor
    """float32: the scales, each once, `[rows of blocks, columns of blocks]`."""
    block_offsets: Tensor | None
    """float32: zero points, biases or minima, arranged as the scales; None where the codes stand alone."""
    dequantized: Tensor
    """float32, rotated back."""
    errors: Tensor
    """float64: dequantized - the matrix, exact."""
    storage: Storage
    error: TensorError
    clipped: int | None
    """How many numbers lay beyond the ends of what their block can hold; None where the ends are not known."""

    @property
    def clipped_share(self) -> float | None:
        """Of all numbers."""
        return None if self.clipped is None else self.clipped / self.dequantized.numel()

    @property
    def max_error_cell(self) -> tuple[int, int] | None:
        """Row and column of the largest error, counted from 0."""
        if self.error.max_place is None:
            return None
        return divmod(self.error.max_place, self.dequantized.shape[1])

    @property
    def gap_db(self) -> float | None:
        """How far below the rate-distortion bound of a Gaussian: 6.0206 dB for each real bit, less the SQNR."""
        sqnr = self.error.figures.sqnr_db
        return None if sqnr is None else float(self.storage.bits_per_weight) * DECIBELS_A_BIT - sqnr


@dataclass(frozen=True, slots=True)
class QuantizedView:
    """One scheme as chosen, and what came of it: either `quantized` or the `refusal`."""

    choice: SchemeChoice
    entry: SchemeEntry | None
    """None where no scheme has that name."""
    quantized: Quantized | None = None
    refusal: AppError | None = None

    @property
    def search(self) -> str:
        """The name of the rule that found the scales; empty where the scheme has none to find."""
        if self.entry is None or "scale" not in self.entry.options:
            return ""
        return str(self.choice.scale or ScaleRule.MSE)

    @property
    def search_name(self) -> str | None:
        """The fixed search behind the rule, see `app.schemes.search_names`; None where there is nothing to find."""
        if self.quantized is None:
            return None
        return search_name(self.quantized.scheme, choices_of(self.choice), is_compiled=False)

    @property
    def element_format(self) -> Format | None:
        """The format of the codes, where `app.formats` has it."""
        return None if self.quantized is None else self.quantized.element

    def element_hex(self, row: int, column: int) -> str | None:
        """The code of a cell for `/inspect?bits=...&format=...`; None where there is no such format."""
        found, number_format = self.quantized, self.element_format
        if number_format is None or found is None or found.element_codes is None:
            return None
        return f"0x{int(found.element_codes[row, column]):0{hex_digits(number_format)}x}"


@dataclass(frozen=True, slots=True)
class QuantizeAnswer:
    """The matrix as float32 and each scheme's view of it, in the order asked for."""

    values: Tensor
    views: tuple[QuantizedView, ...]

    @property
    def bytes_before(self) -> int:
        """Of the matrix in float32."""
        return self.values.numel() * BYTES_OF_FLOAT32


def quantize_values(request: QuantizeRequest) -> QuantizeAnswer:
    """Reads the matrix and quantizes it with each scheme.

    Raises:
        InvalidInput: what is wrong with the matrix itself, see `read_matrix`; `quantize.schemes`, none chosen. What
            one scheme refuses stands in its own view.
        TooLarge: `quantize.too-many-schemes`, and those of `read_matrix`.
    """
    if not request.schemes:
        raise InvalidInput("quantize.schemes")
    if len(request.schemes) > MOST_SCHEMES:
        raise TooLarge("quantize.too-many-schemes", limit=MOST_SCHEMES)
    values = read_matrix(request.source)
    importance = None
    if request.importance is not None:
        importance = torch.tensor(request.importance, dtype=torch.float32)
    return QuantizeAnswer(values, tuple(_view(values, choice, importance) for choice in request.schemes))


def _view(values: Tensor, choice: SchemeChoice, importance: Tensor | None) -> QuantizedView:
    entry = entry_or_none(choice.name)
    try:
        return QuantizedView(choice, entry, quantized=quantize_one(values, choice, importance))
    except AppError as error:
        return QuantizedView(choice, entry, refusal=error)


def quantize_one(values: Tensor, choice: SchemeChoice, importance: Tensor | None = None) -> Quantized:
    """One scheme on a matrix.

    Raises:
        InvalidInput: what the scheme refuses about its options or the matrix.
    """
    scheme, choices = find_scheme(choice.name, choice.options), choices_of(choice, importance)
    rotation = None if choice.rotation is None else Rotation.of_columns(values.shape[1], choice.rotation)
    given = values if rotation is None else rotation.forth(values)
    stored = scheme.quantize(given, choices)
    elements, restored = scheme.elements(stored), scheme.dequantize(stored)
    dequantized = restored if rotation is None else rotation.back(restored)
    name, span = element_name(scheme, find_entry(choice.name)), ends(scheme, stored, elements)
    return Quantized(
        scheme=scheme,
        values=given,
        stored=stored,
        elements=elements,
        element=find_format(name) if name else None,
        element_codes=element_codes(scheme, elements, name),
        block_scales=block_scales(scheme, elements),
        block_offsets=block_offsets(scheme, stored, elements),
        dequantized=dequantized,
        errors=dequantized.to(torch.float64) - values.to(torch.float64),
        storage=scheme.storage(stored.shape),
        error=tensor_error(values, dequantized),
        clipped=None if span is None else clipped_count(given, *span),
    )


def choices_of(choice: SchemeChoice, importance: Tensor | None = None) -> Choices:
    """How to quantize.

    Raises:
        InvalidInput: `scheme.option`, one that the scheme does not take; `quantize.percentile`;
            `quantize.percentile-alone`, with another rule.
    """
    entry = find_entry(choice.name)
    given = {
        "scale": choice.scale is not None,
        "percentile": choice.percentile is not None or choice.scale is ScaleRule.PERCENTILE,
        "signed_scales": choice.signed_scales,
        "seed": choice.seed is not None,
        "importance": importance is not None,
    }
    for option, is_given in given.items():
        if is_given and option not in entry.options:
            shown = "stochastic" if option == "seed" else option
            raise InvalidInput("scheme.option", name=choice.name, option=shown)
    percentile = 99.9 if choice.percentile is None else choice.percentile
    if not 0 < percentile <= 100:
        raise InvalidInput("quantize.percentile", percentile=repr(percentile))
    if choice.percentile is not None and choice.scale not in {None, ScaleRule.PERCENTILE}:
        raise InvalidInput("quantize.percentile-alone", scale=str(choice.scale))
    return Choices(
        scale=choice.scale or ScaleRule.MSE,
        percentile=percentile,
        signed_scales=choice.signed_scales,
        seed=choice.seed,
        importance=importance,
    )
