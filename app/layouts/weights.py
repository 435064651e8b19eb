"""The weights of a source, found by recognisers of layouts, and their numbers chunk by chunk."""

from collections.abc import Callable, Iterator, Sequence

from torch import Tensor

from app.layouts import (
    read_awq,
    read_bitsandbytes,
    read_compressed_tensors,
    read_gguf,
    read_gptq,
    read_mlx,
    read_onnx,
    read_scaled_fp8,
    read_torchao,
)
from app.layouts.stored_tensors import StoredTensors
from app.layouts.weight import Decoder, Encoding, Weight
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader

__all__ = [
    "RECOGNISERS",
    "Decoder",
    "Encoding",
    "Recogniser",
    "StoredTensors",
    "Weight",
    "WeightReader",
    "find_weights",
    "plain_weight",
]

Recogniser = Callable[[StoredTensors], Sequence[Weight]]
"""The weights of one layout among stored tensors; raises WeightFileError where parts contradict each other."""

RECOGNISERS: tuple[Recogniser, ...] = (
    read_gguf.recognise,
    read_onnx.recognise,
    read_torchao.recognise,
    read_bitsandbytes.recognise,
    read_gptq.recognise,
    read_awq.recognise,
    read_mlx.recognise,
    read_scaled_fp8.recognise,
    read_compressed_tensors.recognise,
)
"""Those whose parts have names of their own come first: a stored tensor belongs to the first that claims it."""


def find_weights(file: WeightFile) -> tuple[Weight, ...]:
    """All weights, in the order of their bytes; stored tensors that no layout claims are plain weights.

    Raises:
        WeightFileError: `layout.*`, parts of a layout that do not fit together.
    """
    stored = StoredTensors(file)
    found: list[Weight] = []
    claimed: set[str] = set()
    for recognise in RECOGNISERS:
        for weight in recognise(stored):
            names = {part.name for part in weight.parts}
            if claimed.isdisjoint(names):
                claimed |= names
                found.append(weight)
    found += [plain_weight(entry) for entry in file.header.tensors if entry.name not in claimed]
    return tuple(sorted(found, key=lambda weight: (weight.parts[0].part, weight.parts[0].begin, weight.parts[0].end)))


def plain_weight(entry: TensorEntry) -> Weight:
    """A stored tensor that stands for itself."""
    return Weight(entry.name, entry.shape, entry.type.format, (entry,), is_readable=entry.type.is_readable)


_DECODED_ELEMENTS = 1 << 20
"""Of a chunk: decoding has several numbers for each in memory at a time."""


class WeightReader:
    """Reads the numbers of weights, a chunk at a time. Each read may overwrite what the read before gave."""

    def __init__(self, file: WeightFile) -> None:
        self.tensors = TensorReader(file)

    def elements(self, weight: Weight, first: int, count: int) -> Tensor:
        """Flat elements in row-major order, any run of at most a chunk."""
        if weight.encoding is None:
            return self.tensors.elements(weight.parts[0], first, count)
        return weight.encoding.decoder.decode(self.tensors, first, count)

    def chunk_elements(self, weight: Weight) -> int:
        """How many elements a chunk holds: whole units."""
        if weight.encoding is None:
            return self.tensors.chunk_elements(weight.parts[0])
        unit = weight.encoding.decoder.unit
        return max(_DECODED_ELEMENTS // unit, 1) * unit

    def chunks(self, weight: Weight) -> Iterator[tuple[int, Tensor]]:
        """The whole weight: the first element's index and the elements, chunk by chunk."""
        step = self.chunk_elements(weight)
        for first in range(0, weight.elements, step or 1):
            yield first, self.elements(weight, first, min(step, weight.elements - first))
