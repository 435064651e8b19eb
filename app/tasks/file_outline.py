"""What a file holds, before any number of it is read: names, shapes and sizes, with totals by dtype and by role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.tasks.tensor_roles import role_of


@dataclass(frozen=True, slots=True)
class Outlined:
    """One tensor, or one weight that several stored tensors stand for."""

    name: str
    dtype: str
    """What its numbers are once they are read."""
    shape: tuple[int, ...]
    bytes: int
    """What it takes in the file."""
    elements: int
    layout: str | None = None
    """The layout of a quantized weight, and its scheme in that layout."""
    scheme: str | None = None

    @property
    def stored_as(self) -> str:
        """Its dtype, or the layout and the scheme that stand for one."""
        return self.dtype if self.layout is None else f"{self.layout} {self.scheme}"

    def row(self) -> dict[str, Any]:
        """As JSON has it."""
        row: dict[str, Any] = {
            "name": self.name,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "bytes": self.bytes,
            "elements": self.elements,
            "role": role_of(self.name).value,
        }
        if self.layout is not None:
            row["encoding"] = {"layout": self.layout, "scheme": self.scheme}
        return row


def outline_document(
    kind: str, file_bytes: int, metadata: Mapping[str, Any], tensors: Iterable[Outlined]
) -> dict[str, Any]:
    """The analysis document as far as the header tells it."""
    listed = list(tensors)
    rows = [tensor.row() for tensor in listed]
    return {
        "bytes": file_bytes,
        "kind": kind,
        "metadata": dict(metadata),
        "totals": {
            "tensors": len(listed),
            "parameters": sum(tensor.elements for tensor in listed),
            "bytes": sum(tensor.bytes for tensor in listed),
            "by_dtype": _sums((tensor.stored_as, tensor) for tensor in listed),
            "by_role": _sums(
                (role, tensor) for role, tensor in zip((row["role"] for row in rows), listed, strict=True)
            ),
        },
        "tensors": rows,
    }


def _sums(named: Iterable[tuple[str, Outlined]]) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for name, tensor in named:
        total = sums.setdefault(name, {"tensors": 0, "bytes": 0})
        total["tensors"] += 1
        total["bytes"] += tensor.bytes
    return sums
