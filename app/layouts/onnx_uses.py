"""How a model uses its weights: whether a product sums over their rows, so that a channel is a column."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.weightfiles.onnx_graph import OnnxModel

_FACTOR = 1
"""The second input of a product is the weight."""


@dataclass(slots=True)
class Use:
    """All that the main graph does with one tensor."""

    matmuls: list[int] = field(default_factory=list)
    """Indices of MatMul nodes whose second factor it is."""
    is_elsewhere: bool = False
    """Whether something else needs it."""
    is_column_wise: bool = True
    """Whether everything that needs it sums over its rows."""


class Uses:
    """Of all tensors of a model."""

    def __init__(self, model: OnnxModel) -> None:
        self.model = model
        self.nodes = tuple(model.nodes)
        self._found: dict[str, Use] = {}
        self._nested = b"".join(each.content for each in model.graph if each.node is not None and each.node.has_graphs)
        for index, node in enumerate(self.nodes):
            for place, name in enumerate(node.inputs):
                self._add(index, place, name)
        self._outputs = {each.value for each in model.graph if each.is_output}

    def _add(self, index: int, place: int, name: str) -> None:
        node, use = self.nodes[index], self._found.setdefault(name, Use())
        is_product = place == _FACTOR and not node.domain
        if is_product and node.operator == "MatMul" and len(node.inputs) == 2 and len(node.outputs) == 1:
            use.matmuls.append(index)
            return
        use.is_elsewhere = True
        if not (is_product and node.operator == "Gemm" and not node.attributes.get("transB", 0)):
            use.is_column_wise = False

    def is_column_wise(self, name: str) -> bool:
        """Whether all that needs the tensor sums over its rows."""
        use = self._found.get(name)
        return use is not None and use.is_column_wise and not self.is_inside(name)

    def matmuls(self, name: str) -> tuple[int, ...]:
        """The nodes that multiply by it, if nothing else needs it; else none."""
        use = self._found.get(name)
        if use is None or use.is_elsewhere or self.is_inside(name) or self.model.has_training:
            return ()
        return () if name in self._outputs else tuple(use.matmuls)

    def names(self) -> Iterator[str]:
        """Of all values of the main graph."""
        yield from self._found
        yield from self._outputs
        for node in self.nodes:
            yield from node.outputs
        for each in self.model.graph:
            if each.is_input:
                yield each.value

    def is_inside(self, name: str) -> bool:
        """Whether the name may be one of a graph inside a node."""
        return bool(self._nested) and name.encode("utf-8") in self._nested
