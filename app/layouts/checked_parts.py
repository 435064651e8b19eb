"""Looking up the stored parts of a weight: what is there, of the right type and shape, or a refusal that names it."""

from collections.abc import Collection, Mapping
from typing import Any

from app.errors import WeightFileError
from app.layouts.stored_tensors import StoredTensors
from app.weightfiles.file_header import TensorEntry
from app.weightfiles.strict_json import shown

FLOATS = frozenset({"float32", "float16", "bfloat16"})
MOST_COLUMNS = 1 << 24
"""Of a matrix whose rows are not stored in one run: they are read a column at a time."""


def part(stored: StoredTensors, weight: str, name: str) -> TensorEntry:
    """A part that the weight cannot be without.

    Raises:
        WeightFileError: `layout.part-missing`.
    """
    found = stored.entries.get(name)
    if found is None:
        raise WeightFileError("layout.part-missing", tensor=shown(weight), part=shown(name))
    return found


def check_type(weight: str, entry: TensorEntry, formats: Collection[str]) -> None:
    """Refuses a part of another element type.

    Raises:
        WeightFileError: `layout.part-type`.
    """
    if entry.type.format not in formats:
        raise WeightFileError("layout.part-type", tensor=shown(weight), part=shown(entry.name), dtype=entry.type.format)


def check_shape(weight: str, entry: TensorEntry, expected: tuple[int, ...]) -> None:
    """Refuses a part of another shape.

    Raises:
        WeightFileError: `layout.part-shape`.
    """
    if entry.shape != expected:
        raise odd_shape(weight, entry)


def odd_shape(weight: str, entry: TensorEntry) -> WeightFileError:
    """The refusal of a part whose shape does not fit the other parts."""
    shape = "x".join(map(str, entry.shape)) or "scalar"
    return WeightFileError("layout.part-shape", tensor=shown(weight), part=shown(entry.name), shape=shape)


def odd_contents(weight: str, entry: TensorEntry) -> WeightFileError:
    """The refusal of a part whose elements say something that cannot be."""
    return WeightFileError("layout.part-contents", tensor=shown(weight), part=shown(entry.name))


def number(config: Mapping[str, Any], name: str) -> int | None:
    """A whole number that a config tells, if it is one."""
    found = config.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object inside a config, or nothing."""
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def model_dtype(stored: StoredTensors) -> str | None:
    """The float type that the model is said to compute in."""
    for name in ("dtype", "torch_dtype"):
        found = stored.config.get(name)
        if isinstance(found, str) and found.removeprefix("torch.") in FLOATS:
            return found.removeprefix("torch.")
    return None
