"""The nested dictionaries and lists of a checkpoint, flattened: dotted names for tensors, and the rest as metadata."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.errors import WeightFileError
from app.weightfiles.file_header import MAX_NAME_BYTES, MAX_TENSORS, check_name
from app.weightfiles.pytorch_objects import NamedGlobal, StoredView
from app.weightfiles.strict_json import shown

MAX_DEPTH = 100
MAX_VALUES = 1_000_000
MAX_METADATA = 1000
MAX_METADATA_TEXT = 1000
_ROOT_TENSOR = "tensor"
"""What the tensor of a file that holds only one is called."""


@dataclass(slots=True)
class FlatCheckpoint:
    """What a checkpoint holds."""

    tensors: dict[str, StoredView] = field(default_factory=dict)
    metadata: dict[str, str | int | float | bool | None] = field(default_factory=dict)
    left_out: int = 0
    """Values for which the metadata had no room."""


def flatten(root: object) -> FlatCheckpoint:
    """Walks through everything once, without recursion.

    Raises:
        WeightFileError: `pytorch.too-deep`, also for a container that holds itself; `pytorch.name-twice` and others.
    """
    found = FlatCheckpoint()
    if isinstance(root, StoredView):
        found.tensors[_ROOT_TENSOR] = root
        return found
    walks = [("", _items(root))]
    for _ in range(MAX_VALUES):
        if not walks:
            return found
        path, items = walks[-1]
        item = next(items, None)
        if item is None:
            walks.pop()
            continue
        key, value = item
        if isinstance(value, dict | list | tuple):
            if len(walks) == MAX_DEPTH:
                raise WeightFileError("pytorch.too-deep", limit=MAX_DEPTH)
            walks.append((_join(path, key), _items(value)))
        elif isinstance(value, StoredView):
            _add_tensor(found, _join(path, key), value)
        else:
            _add_metadata(found, path, key, value)
    raise WeightFileError("pytorch.too-many-values", limit=MAX_VALUES)


def _items(value: object) -> Iterator[tuple[object, object]]:
    if isinstance(value, dict):
        return iter(value.items())
    return enumerate(value) if isinstance(value, list | tuple) else iter(())


def _join(path: str, key: object) -> str:
    """A dotted name; far too long ones are cut, which only makes sure that they are refused."""
    text = key if isinstance(key, str) else str(key)
    return (f"{path}.{text}" if path else text)[: MAX_NAME_BYTES + 1]


def _add_tensor(found: FlatCheckpoint, name: str, tensor: StoredView) -> None:
    check_name(name)
    if name in found.tensors:
        raise WeightFileError("pytorch.name-twice", tensor=shown(name))
    if len(found.tensors) == MAX_TENSORS:
        raise WeightFileError("pytorch.too-many-values", limit=MAX_TENSORS)
    found.tensors[name] = tensor


def _add_metadata(found: FlatCheckpoint, path: str, key: object, value: object) -> None:
    if len(found.metadata) == MAX_METADATA:
        found.left_out += 1
        return
    found.metadata[_join(path, key)] = _as_json(value)


def _as_json(value: object) -> str | int | float | bool | None:
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, float):
        return value if value - value == 0 else str(value)
    if isinstance(value, str):
        return value if len(value) <= MAX_METADATA_TEXT else value[: MAX_METADATA_TEXT - 1] + "…"
    return value.name if isinstance(value, NamedGlobal) else type(value).__name__
