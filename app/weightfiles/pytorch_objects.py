"""What the pickle of a PyTorch checkpoint says, as data: storages, tensors over them, and names."""

from dataclasses import dataclass

from app.errors import WeightFileError
from app.weightfiles import pytorch_names as names
from app.weightfiles.storage_types import StorageType
from app.weightfiles.strict_json import shown

_STORAGE_TAG = "storage"


@dataclass(frozen=True, slots=True)
class NamedGlobal:
    """A global that the program names; it stands for nothing but its name."""

    name: str


@dataclass(frozen=True, slots=True)
class TensorStorage:
    """Where a tensor's numbers are: the key of a member, not yet looked up."""

    key: str
    type: StorageType | None
    """None for an untyped one, whose tensors tell their dtype themselves."""
    count: int
    """Elements as the program claims; bytes if it is untyped."""


@dataclass(frozen=True, slots=True)
class StoredView:
    """A tensor over a storage, as the program claims, not yet checked against the bytes."""

    storage: TensorStorage
    type: StorageType
    is_packed: bool
    """Whether each element counted in the shape holds two numbers."""
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class OrderedNames(dict[object, object]):
    """An ordered dictionary, which alone may have attributes, such as the versions that a state dict carries."""


class CheckpointVocabulary:
    """The names and calls that a checkpoint may hold; see `pickle_program.Vocabulary`."""

    def __init__(self) -> None:
        self.storages: dict[TensorStorage, None] = {}
        """All that the program mentions, also those whose tensors it drops again."""

    def find(self, module: str, name: str) -> object:
        """The name as data.

        Raises:
            WeightFileError: `pytorch.unsafe-global`, or what says that tensors of this kind are not read.
        """
        full = f"{module}.{name}"
        if full in names.UNREAD_KINDS:
            raise WeightFileError(names.UNREAD_KINDS[full])
        if full in names.UNREAD_DTYPES:
            raise WeightFileError("pytorch.dtype", dtype=full)
        known = (names.PLAIN_NAMES, names.STORAGES, names.UNTYPED_STORAGES, names.DTYPES)
        if not any(full in group for group in known):
            raise WeightFileError("pytorch.unsafe-global", name=shown(full))
        return NamedGlobal(full)

    def call(self, function: object, arguments: tuple[object, ...]) -> object:
        """What a call would give: a tensor, an empty dictionary, a size or the name of a device."""
        match function, arguments:
            case NamedGlobal(names.ORDERED_DICT), ():
                return OrderedNames()
            case NamedGlobal(names.SIZE), (tuple(size),):
                return _whole_numbers(size, function)
            case NamedGlobal(names.DEVICE), (str(kind), *_):
                return kind
            case NamedGlobal(names.REBUILD_PARAMETER), (StoredView() as tensor, bool(), dict()):
                return tensor
            case NamedGlobal(names.REBUILD_PARAMETER_WITH_STATE), (StoredView() as tensor, bool(), dict(), _):
                return tensor
            case NamedGlobal(names.REBUILD_FROM_TYPE), (NamedGlobal() as inner, NamedGlobal(kind), tuple(inside), _):
                if kind not in {names.TENSOR, names.PARAMETER}:
                    raise WeightFileError(names.SUBCLASS)
                return _tensor(inner, inside)
        return _tensor(function, arguments)

    def load(self, identifier: object) -> object:
        """A storage."""
        match identifier:
            case (str(tag), NamedGlobal(kind), str(key), str(), int(count)) if tag == _STORAGE_TAG and count >= 0:
                if kind in names.UNTYPED_STORAGES or kind in names.STORAGES:
                    storage = TensorStorage(key, names.STORAGES.get(kind), count)
                    self.storages[storage] = None
                    return storage
        raise WeightFileError("pytorch.storage")

    def build(self, built: object, state: object) -> None:
        """Attributes of an ordered dictionary; they are not needed."""
        if not isinstance(built, OrderedNames) or not isinstance(state, dict):
            raise WeightFileError("pytorch.call", name="BUILD")


def _tensor(function: object, arguments: tuple[object, ...]) -> StoredView:
    match function, arguments:
        case NamedGlobal(names.REBUILD_TENSOR), (storage, offset, shape, strides):
            return _view(function, storage, offset, shape, strides, None)
        case NamedGlobal(names.REBUILD_TENSOR_V2), (storage, offset, shape, strides, bool(), dict(), *flags) if (
            len(flags) < 2
        ):
            _check_flags(flags)
            return _view(function, storage, offset, shape, strides, None)
        case NamedGlobal(names.REBUILD_TENSOR_V3), (
            storage, offset, shape, strides, bool(), dict(), NamedGlobal(dtype), *flags
        ) if len(flags) < 2:  # fmt: skip
            _check_flags(flags)
            return _view(function, storage, offset, shape, strides, dtype)
    raise _no_such_call(function)


def _view(
    function: object, storage: object, offset: object, shape: object, strides: object, dtype: str | None
) -> StoredView:
    if not isinstance(storage, TensorStorage) or not (dtype is None or dtype in names.DTYPES):
        raise _no_such_call(function)
    kind = storage.type if dtype is None else names.DTYPES[dtype]
    if kind is None or not (isinstance(shape, tuple) and isinstance(strides, tuple)):
        raise _no_such_call(function)
    (start,) = _whole_numbers((offset,), function)
    return StoredView(
        storage,
        kind,
        dtype == names.PACKED_PAIRS,
        start,
        _whole_numbers(shape, function),
        _whole_numbers(strides, function),
    )


def _whole_numbers(values: tuple[object, ...], function: object) -> tuple[int, ...]:
    numbers = tuple(value for value in values if type(value) is int)
    if len(numbers) != len(values):
        raise _no_such_call(function)
    return numbers


def _check_flags(flags: list[object]) -> None:
    """Metadata of a tensor: whether its numbers are to be negated or conjugated when read."""
    if flags and flags[0]:
        raise WeightFileError("pytorch.lazy-tensor")


def _no_such_call(function: object) -> WeightFileError:
    return WeightFileError("pytorch.call", name=shown(function.name) if isinstance(function, NamedGlobal) else "REDUCE")
