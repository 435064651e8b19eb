"""The strict reader of PyTorch checkpoints, the zip archives of torch.save: tensors become byte ranges, nothing runs.

Members, under one folder of any name: `data.pkl` (the pickle), `data/0`, `data/1` and so on (the storages' bytes),
`byteorder`, and a few that only tell versions.
"""

from collections.abc import Mapping

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.file_header import FileHeader, TensorEntry, check_shape
from app.weightfiles.pickle_program import run_program
from app.weightfiles.pytorch_objects import CheckpointVocabulary, StoredView, TensorStorage
from app.weightfiles.pytorch_tree import flatten
from app.weightfiles.storage_types import StorageType
from app.weightfiles.strict_json import shown
from app.weightfiles.strided_view import check_sharing, reach_of
from app.weightfiles.zip_archive import ZipArchive, ZipMember, read_archive
from app.weightfiles.zip_content import read_small

MAX_PICKLE_BYTES = 16 << 20
_SMALL_BYTES = 256
_PICKLE = "data.pkl"
_STORAGES = "data/"
_BYTE_ORDER = "byteorder"
_VERSION = "version"
_VERSIONS = frozenset(str(number) for number in range(1, 11))
_OTHER_MEMBERS = frozenset({".format_version", ".storage_alignment", ".data/serialization_id"})
_SCRIPT_MEMBERS = ("code/", "constants.pkl", "constants/", "extra/", "mobile_debug_handles.pkl", "bytecode.pkl")


def is_checkpoint(archive: ZipArchive) -> bool:
    """Whether an archive is one of torch.save, or of TorchScript."""
    return any(name.count("/") <= 1 and name.rsplit("/", 1)[-1] == _PICKLE for name in archive.members)


def read_header(ranges: ByteRanges) -> FileHeader:
    """The checked header of a checkpoint.

    Raises:
        WeightFileError: `zip.*`, `pickle.*`, `pytorch.*` or `tensor.*` for a broken rule.
    """
    return header_of(read_archive(ranges))


def header_of(archive: ZipArchive) -> FileHeader:
    """The checked header of a checkpoint whose archive has been read."""
    members = _members(archive)
    is_big_endian = _is_big_endian(archive, members)
    program = read_small(archive, members[_PICKLE], MAX_PICKLE_BYTES)
    vocabulary = CheckpointVocabulary()
    root, end = run_program(program, vocabulary)
    if end != len(program):
        raise WeightFileError("pickle.damaged", position=end)
    found = flatten(root)
    if not found.tensors:
        raise WeightFileError("pytorch.no-tensors")
    storages = _Storages(members, is_big_endian=is_big_endian)
    tensors = [storages.entry(name, tensor) for name, tensor in found.tensors.items()]
    for storage in vocabulary.storages:
        storages.member(_STORAGES + storage.key, storage)
    check_sharing(tensors, archive.ranges.size)
    tensors.sort(key=lambda tensor: (tensor.begin, tensor.end, tensor.name))
    details = {"metadata_left_out": found.left_out} if found.left_out else {}
    return FileHeader("pytorch", tuple(tensors), found.metadata, archive.ranges.size, details)


def _members(archive: ZipArchive) -> Mapping[str, ZipMember]:
    """The members by their names inside the one folder; each must be of a known kind, and stored as it is."""
    folder = next(iter(archive.members)).split("/", 1)[0] + "/"
    members: dict[str, ZipMember] = {}
    for name, member in archive.members.items():
        inner = name.removeprefix(folder)
        if inner.startswith(_SCRIPT_MEMBERS):
            raise WeightFileError("pytorch.script")
        is_storage = inner.startswith(_STORAGES) and "/" not in inner.removeprefix(_STORAGES)
        is_known = is_storage or inner in {_PICKLE, _BYTE_ORDER, _VERSION} or inner in _OTHER_MEMBERS
        if inner == name or not is_known:
            raise WeightFileError("pytorch.member", member=shown(name))
        if member.is_deflated:
            raise WeightFileError("pytorch.deflated", member=shown(name))
        members[inner] = member
    if _PICKLE not in members:
        raise WeightFileError("pytorch.member", member=_PICKLE)
    return members


def _is_big_endian(archive: ZipArchive, members: Mapping[str, ZipMember]) -> bool:
    """The order that the file tells; also checks its version, and the checksums of all members that tell something."""
    told = {
        name: read_small(archive, member, _SMALL_BYTES)
        for name, member in members.items()
        if name != _PICKLE and not name.startswith(_STORAGES)
    }
    version = told.get(_VERSION, b"3").decode("latin-1").strip()
    if version not in _VERSIONS:
        raise WeightFileError("pytorch.version", version=shown(version))
    order = told.get(_BYTE_ORDER, b"little").decode("latin-1")
    if order not in {"little", "big"}:
        raise WeightFileError("pytorch.byte-order", order=shown(order))
    return order == "big"


class _Storages:
    """The storages of a file by their keys, which are looked up as exact names and are never paths."""

    def __init__(self, members: Mapping[str, ZipMember], *, is_big_endian: bool) -> None:
        self._members = members
        self._is_big_endian = is_big_endian
        self._claims: dict[str, tuple[StorageType | None, int]] = {}

    def entry(self, name: str, tensor: StoredView) -> TensorEntry:
        """The byte ranges of a tensor.

        Raises:
            WeightFileError: there is no such storage, it has another size, or the tensor reaches past it.
        """
        check_shape(tensor.shape, name)
        member = self.member(name, tensor.storage)
        item = 1 if tensor.is_packed else tensor.type.bits // 8
        reach = reach_of(name, tensor.shape, tensor.strides, tensor.offset, member.size // item)
        shape, strides = tensor.shape, reach.strides
        if tensor.is_packed:
            shape, strides = _unpacked(name, shape, strides)
        begin, end = member.begin + reach.begin * item, member.begin + reach.end * item
        is_big_endian = self._is_big_endian and item > 1
        return TensorEntry(name, tensor.type, shape, begin, end, strides=strides, is_big_endian=is_big_endian)

    def member(self, name: str, storage: TensorStorage) -> ZipMember:
        """Where a storage lies; `name` is what a refusal names.

        Raises:
            WeightFileError: `pytorch.storage-missing`, `pytorch.storage-size`.
        """
        member = self._members.get(_STORAGES + storage.key)
        if member is None:
            raise WeightFileError("pytorch.storage-missing", tensor=shown(name), key=shown(storage.key))
        needed = storage.count * (storage.type.bits // 8 if storage.type else 1)
        claim = (storage.type, storage.count)
        if needed != member.size or self._claims.setdefault(storage.key, claim) != claim:
            raise WeightFileError("pytorch.storage-size", tensor=shown(name), needed=needed, given=member.size)
        return member


def _unpacked(
    name: str, shape: tuple[int, ...], strides: tuple[int, ...] | None
) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
    """The shape in numbers, of a tensor whose innermost elements hold two each."""
    if not shape or strides is not None:
        raise WeightFileError("tensor.strides", tensor=shown(name))
    return (*shape[:-1], shape[-1] * 2), None
