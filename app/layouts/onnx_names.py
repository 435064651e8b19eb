"""What the tensors of ONNX models that are written are called, and how each becomes a weight of the model."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.weightfiles.file_layout import StoredTensor

QUANTIZED, SCALE, ZERO_POINT = "_quantized", "_scale", "_zero_point"
"""Behind a weight's name, as onnxruntime's own tools have it."""


@dataclass(frozen=True, slots=True)
class Given:
    """A weight that a node gives: the node, and what the model must at least be for it."""

    name: str
    format: str
    shape: tuple[int, ...]
    node: bytes
    """A NodeProto; empty where nodes of the model itself are replaced."""
    parts: tuple[str, ...]
    """The names of the tensors that stand for it."""
    ir_version: int
    opset: int = 0
    domain: str = ""
    """Of the operator."""
    replaced: Mapping[int, bytes] = field(default_factory=dict)
    """Nodes of the model by their index, and what they become."""


@dataclass(frozen=True, slots=True)
class CodesTensor(StoredTensor):
    """The stored tensor with a weight's codes."""

    given: Given


class FreeNames:
    """Gives names that nothing else in the model has."""

    def __init__(self, taken: Iterable[str], is_inside: Callable[[str], bool] = lambda _name: False) -> None:
        self._taken = set(taken)
        self._is_inside = is_inside

    def name(self, wanted: str) -> str:
        """That name, or one that begins with it; the same each time."""
        found, count = wanted, 1
        while found in self._taken or self._is_inside(found):
            count += 1
            found = f"{wanted}_{count}"
        return found
