"""One weight as torchao's metadata describes it, with the stored parts; each attribute is checked as it is read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.codec import torch_dtype
from app.errors import WeightFileError
from app.formats import find_format
from app.layouts.checked_parts import FLOATS
from app.layouts.rectangles import MatrixDecoder, PartOfMatrix, matrix_of
from app.layouts.weight import Encoding, Weight
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.strict_json import shown

LAYOUT = "torchao"


@dataclass(frozen=True, slots=True)
class Described:
    """One weight of the metadata, with the parts that are stored."""

    name: str
    attributes: Mapping[str, Any]
    parts: Mapping[str, TensorEntry]

    def part(self, name: str) -> TensorEntry:
        found = self.parts.get(name)
        if found is None:
            raise WeightFileError("layout.part-missing", tensor=shown(self.name), part=shown(name))
        return found

    def refusal(self, attribute: str) -> WeightFileError:
        return WeightFileError("layout.attribute", tensor=shown(self.name), attribute=attribute)

    def dtype(self, attribute: str) -> str:
        """The name of a dtype: `{"_type": "torch.dtype", "_data": "bfloat16"}`."""
        found = self.attributes.get(attribute)
        told = found.get("_data") if isinstance(found, dict) else found
        if not isinstance(told, str):
            raise self.refusal(attribute)
        return told

    def float_dtype(self, attribute: str) -> str:
        found = self.dtype(attribute)
        if found not in FLOATS:
            raise self.refusal(attribute)
        return found

    def sizes(self, attribute: str, rank: int) -> tuple[int, ...]:
        found = self.attributes.get(attribute)
        is_sound = isinstance(found, list) and len(found) == rank
        if not isinstance(found, list) or not is_sound or not all(type(each) is int and each > 0 for each in found):
            raise self.refusal(attribute)
        return tuple(found)

    def weight(self, shape: tuple[int, ...], dtype: str, text: str, numbers: PartOfMatrix) -> Weight:
        decoder = MatrixDecoder(matrix_of(shape)[1], torch_dtype(find_format(dtype)), numbers)
        first = self.part("qdata")
        parts = (first, *(each for each in self.parts.values() if each is not first))
        return Weight(self.name, shape, dtype, parts, Encoding(LAYOUT, text, decoder))
