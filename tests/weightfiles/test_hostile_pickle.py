"""Checkpoints made to break or to run something: each is refused with its own code, and nothing runs."""

import io
import struct
import tarfile
from pathlib import Path

import pytest

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import LocalFile
from app.weightfiles.containers import read_any_header
from app.weightfiles.file_header import FileHeader
from app.wording import say
from tests.weightfiles.made_checkpoints import (
    FLOATS,
    NO_HOOKS,
    archive,
    checkpoint,
    dictionary,
    named,
    number,
    numbers,
    program,
    storage,
    tensor,
    text,
)

GOOD = dictionary({"w": tensor()})
REBUILD = named("torch._utils", "_rebuild_tensor_v2")


def header_of(content: bytes, folder: Path) -> FileHeader:
    path = folder / "model.bin"
    path.write_bytes(content)
    file = LocalFile(path)
    try:
        return read_any_header(file)
    finally:
        file.close()


def refusal(content: bytes, folder: Path) -> WeightFileError:
    with pytest.raises(WeightFileError) as caught:
        header_of(content, folder)
    assert say(caught.value.code, caught.value.figures)
    return caught.value


def test_the_good_one_is_read(tmp_path: Path) -> None:
    header = header_of(checkpoint(GOOD), tmp_path)
    assert [(entry.name, entry.shape, entry.bytes) for entry in header.tensors] == [("w", (4,), 16)]
    (entry,) = header.tensors
    assert (tmp_path / "model.bin").read_bytes()[entry.begin : entry.end] == FLOATS


@pytest.mark.parametrize("location", ["cuda:0", "mps", "<script>alert(1)</script>", "../../etc/passwd", ""])  # B14, B15
def test_where_a_storage_was_does_not_matter(location: str, tmp_path: Path) -> None:
    header = header_of(checkpoint(dictionary({"w": tensor(stored=storage(location=location))})), tmp_path)
    assert header.tensors[0].bytes == 16
    assert "script" not in repr(header.metadata)


def payloads(marker: Path) -> dict[str, bytes]:
    """Programs that would leave a marker if anything ran."""
    command = text(f"touch {marker}")
    system = named("posix", "system")
    return {
        "posix.system": system + b"(" + command + b"tR",  # B02
        "os.system": named("os", "system") + command + b"\x85R",
        "builtins.getattr": named("builtins", "getattr") + b"(" + text("x") + text("y") + b"tR",  # B03
        "builtins.eval": b"(" + command + b"i" + b"builtins\neval\n",  # INST
        "__builtin__.eval": named("__builtin__", "eval") + b"(" + command + b"tR",
        "torch.storage._load_from_bytes": named("torch.storage", "_load_from_bytes"),
        "torch.load": named("torch", "load"),
        "builtins.bytearray": named("builtins", "bytearray") + number(1 << 36) + b"\x85R",  # B25
        "_codecs.encode": named("_codecs", "encode") + text("x") + text("latin1") + b"\x86R",  # B28
        "collections.Counter": named("collections", "Counter") + b"}\x85R",  # B29
        "numpy.core.multiarray._reconstruct": named("numpy.core.multiarray", "_reconstruct"),
        "torch.nn.modules.linear.Linear": named("torch.nn.modules.linear", "Linear") + b")\x81",
        "collections.OrderedDict.__reduce__": text("collections") + text("OrderedDict.__reduce__") + b"\x93",
        "torch.jit.load": text("torch.jit") + text("load") + b"\x93" + command + b"\x85R",  # STACK_GLOBAL
    }


def test_whatever_would_run_is_named_and_does_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    for name, payload in payloads(marker).items():
        for content in (
            checkpoint(payload),
            checkpoint(dictionary({"w": tensor(), "x": payload})),
            checkpoint(dictionary({"w": tensor()}) + payload + b"0"),  # dropped again: it would have run all the same
        ):
            error = refusal(content, tmp_path)
            assert (error.code, error.figures["name"]) == ("pytorch.unsafe-global", name)
    assert not marker.exists()


def test_bare_and_stacked_pickles_name_what_they_would_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    payload = program(named("posix", "system") + text(f"touch {marker}") + b"\x85R")
    magic = program(b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19")
    legacy = magic + program(number(1001)) + program(dictionary({"little_endian": b"\x88"}))
    assert refusal(payload, tmp_path).code == "pytorch.unsafe-global"  # B37
    assert refusal(legacy + program(GOOD) + bytes(64), tmp_path).code == "pytorch.legacy"
    assert refusal(legacy + payload, tmp_path).code == "pytorch.unsafe-global"  # B38
    assert refusal(magic + payload, tmp_path).code == "pytorch.unsafe-global"
    assert refusal(b"cposix\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.", tmp_path).code == (
        "pytorch.unsafe-global"
    )
    assert refusal(program(GOOD), tmp_path).code == "file.pickle"
    assert not marker.exists()


def shaped(shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> bytes:
    return checkpoint(dictionary({"w": tensor(shape, strides, offset)}))


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (checkpoint(dictionary({"w": tensor(stored=storage(count=1 << 20))})), "pytorch.storage-size"),  # B05
        (checkpoint(dictionary({"w": tensor((1,), stored=storage(count=3))})), "pytorch.storage-size"),
        (checkpoint(dictionary({"w": tensor((1,), stored=storage(count=-1))})), "pytorch.storage"),
        (shaped((5,), (1,)), "tensor.past-storage"),  # B06
        (shaped((4,), (1,), 1), "tensor.past-storage"),  # B07
        (shaped((2, 2), (3, 1)), "tensor.past-storage"),
        (shaped((4,), (1 << 47,)), "tensor.past-storage"),
        (shaped((4,), (1 << 62,)), "tensor.strides"),
        (shaped((4,), (1,), -1), "tensor.past-storage"),  # B08
        (shaped((0,), (1,), 5), "tensor.past-storage"),
        (shaped((4,), (-1,)), "tensor.strides"),  # B09
        (shaped((4,), (1, 1)), "tensor.strides"),
        (shaped((-4,), (1,)), "tensor.dimension"),  # B10
        (shaped((1 << 62,), (0,)), "tensor.dimension"),
        (shaped((1 << 40, 1 << 40), (0, 0)), "tensor.overflow"),  # B11
        (shaped((1 << 40,), (0,)), "tensor.sharing"),
        (shaped((1 << 30, 4), (0, 1)), "tensor.sharing"),
        (shaped((1,) * 200_000, (1,) * 200_000), "tensor.rank"),  # B39
        (checkpoint(dictionary({"w": tensor(stored=storage("1"))})), "pytorch.storage-missing"),  # B12
        (checkpoint(dictionary({"w": tensor(stored=storage("../../etc/passwd"))})), "pytorch.storage-missing"),  # B13
        (checkpoint(dictionary({"w": tensor(stored=storage("../data.pkl"))})), "pytorch.storage-missing"),
        (checkpoint(tensor(stored=storage("1")) + b"0" + GOOD), "pytorch.storage-missing"),  # of a dropped tensor
        (checkpoint(dictionary({"w": tensor(stored=storage(kind="DoubleStorage"))})), "pytorch.storage-size"),
        (checkpoint(dictionary({"w": tensor(), "v": tensor((2,), stored=storage(kind="LongStorage", count=2))})),
         "pytorch.storage-size"),  # one storage, two dtypes
        (checkpoint(dictionary({"w": tensor(stored=storage(kind="QInt8Storage"))})), "pytorch.quantized-tensor"),
        (checkpoint(dictionary({"w": tensor(stored=storage(kind="UntypedStorage", count=16))})), "pytorch.call"),
        (checkpoint(b"]" + tensor() + tensor() + b"s"), "pickle.damaged"),  # B16
        (checkpoint(tensor() + text("x") + text("y") + b"s"), "pickle.damaged"),  # B17
        (checkpoint(tensor() + dictionary({"x": b"N"}) + b"b"), "pytorch.call"),
        (checkpoint(b"]" + dictionary({"x": b"N"}) + b"b"), "pytorch.call"),
        (archive(b"\x80\x02X\xff\xff\xff\xffabc."), "pickle.damaged"),  # B20
        (archive(b"\x80\x02\x8d" + b"\xff" * 8 + b"."), "pickle.damaged"),
        (archive(b"\x80\x02\x8b\xff\xff\xff\x7f."), "pickle.damaged"),
        (archive(b"\x80\x02" + GOOD), "pickle.damaged"),  # B21
        (archive(b""), "pickle.damaged"),
        (archive(b"."), "pickle.damaged"),  # B22
        (archive(b"\x80\x02s."), "pickle.damaged"),
        (archive(b"\x80\x02(N\x85R."), "pickle.damaged"),
        (archive(b"\x80\x02Nt."), "pickle.damaged"),
        (archive(program(GOOD + b"N")), "pickle.damaged"),
        (archive(program(b"(" + GOOD)), "pickle.damaged"),
        (archive(program(GOOD) + b"\0"), "pickle.damaged"),
        (archive(b"\x80\x06" + GOOD + b"."), "pickle.damaged"),
        (archive(b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + GOOD + b"."), "pickle.damaged"),  # B23
        (archive(program(b"h\x07")), "pickle.damaged"),
        (archive(program(b"j\xff\xff\xff\xff")), "pickle.damaged"),
        (archive(program(b"\x82\x01")), "pickle.opcode"),
        (archive(program(b"\x97")), "pickle.opcode"),
        (archive(program(b"P1\n")), "pickle.opcode"),
        (checkpoint(dictionary({"w": named("torch", "Tensor") + number(1 << 36) + b"\x85R"})), "pytorch.call"),  # B26
        (checkpoint(dictionary({"w": named("torch.storage", "UntypedStorage") + number(1 << 36) + b"\x85R"})),
         "pytorch.call"),  # B27
        (checkpoint(number(7)), "pytorch.no-tensors"),  # B30
        (checkpoint(dictionary({"epoch": number(7)})), "pytorch.no-tensors"),
        (archive(program(GOOD), more={"constants.pkl": b"x", "code/m.py": b"x"}), "pytorch.script"),  # B31
        (archive(program(GOOD), more={"evil.py": b"x"}), "pytorch.member"),
        (archive(program(GOOD), more={"data/sub/0": b"x"}), "pytorch.member"),
        (archive(program(GOOD), more={"version": b"99\n"}), "pytorch.version"),
        (archive(program(GOOD), more={"byteorder": b"middle"}), "pytorch.byte-order"),
        (archive(program(GOOD), more={"byteorder": b"little" * 100}), "zip.member-too-long"),
        (checkpoint(b"}q\0" + text("me") + b"h\0s" + text("w") + tensor() + b"s"), "pytorch.too-deep"),  # B32
        (checkpoint(b"]q\0h\0a"), "pytorch.too-deep"),
        (checkpoint(b"]" * 300_000 + b"a" * 299_999), "pytorch.too-deep"),  # B19
        (checkpoint(b"]" * 101 + tensor() + b"a" * 101), "pytorch.too-deep"),
        (checkpoint(b"(" * 2000), "pickle.too-deep"),
        (checkpoint(named("torch._utils", "_rebuild_sparse_tensor") + b")R"), "pytorch.sparse-tensor"),  # B42
        (checkpoint(named("torch._utils", "_rebuild_wrapper_subclass") + b")R"), "pytorch.tensor-subclass"),
        (checkpoint(named("torch._utils", "_rebuild_meta_tensor_no_storage") + b")R"), "pytorch.meta-tensor"),
        (checkpoint(dictionary({"a.b": tensor(), "a": dictionary({"b": tensor()})})), "pytorch.name-twice"),
        (checkpoint(b"}" + number(1) + tensor() + b"s" + text("1") + tensor() + b"s"), "pytorch.name-twice"),
        (checkpoint(dictionary({"a" * 2000: tensor()})), "tensor.name-too-long"),
        (checkpoint(dictionary({"line\nfeed": tensor()})), "tensor.name-control"),
        (checkpoint(dictionary({"\ud800": tensor()})), "pickle.text"),
        (checkpoint(b"}" + number(1) + b"\x85" + tensor() + b"s"), "pickle.key"),
        (checkpoint(b"}" + number(1 << 61) + tensor() + b"s"), "pickle.key"),
        (checkpoint(b"}" + dictionary({}) + tensor() + b"s"), "pickle.key"),
        (checkpoint(b"(" + text("w") + b"d"), "pickle.damaged"),
        (checkpoint(storage()), "pytorch.no-tensors"),
        (checkpoint(b"(" + text("storage") + b"tQ"), "pytorch.storage"),
        (checkpoint(text("0") + b"Q"), "pytorch.storage"),
        (checkpoint(REBUILD + b"(" + storage() + number(0) + b"]]\x89" + NO_HOOKS + b"tR"), "pytorch.call"),
        (checkpoint(REBUILD + b"(" + storage() + b"G" + bytes(8) + numbers((4,)) + numbers((1,)) + b"\x89" + NO_HOOKS
                    + b"tR"), "pytorch.call"),
        (checkpoint(REBUILD + b"(" + storage() + b"\x88" + numbers((4,)) + numbers((1,)) + b"\x89" + NO_HOOKS + b"tR"),
         "pytorch.call"),
        (checkpoint(REBUILD + b")R"), "pytorch.call"),
        (checkpoint(REBUILD + text("x") + b"R"), "pickle.damaged"),
        (checkpoint(named("torch", "float32") + b")R"), "pytorch.call"),
        (checkpoint(text("x") + b")R"), "pytorch.call"),
    ],
)  # fmt: skip
def test_what_no_torch_writes_is_refused(content: bytes, code: str, tmp_path: Path) -> None:
    assert refusal(content, tmp_path).code == code


def test_damage_to_the_archive_is_refused_whole(tmp_path: Path) -> None:
    good = checkpoint(GOOD)
    place = good.index(REBUILD)
    assert refusal(good[:place] + b"d" + good[place + 1 :], tmp_path).code == "zip.crc"  # B43
    order = good.index(b"little")
    assert refusal(good[:order] + b"Little" + good[order + 6 :], tmp_path).code == "zip.crc"  # B48
    assert refusal(b"GGUF" + good, tmp_path).code.startswith("gguf.")  # B46
    assert refusal(b"\0" + good, tmp_path).code.startswith("safetensors.")
    assert refusal(good + b"\0", tmp_path).code == "zip.end"
    assert refusal(good[:-30], tmp_path).code == "zip.end"


@pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"])  # B50
def test_other_packings_are_named(magic: bytes, tmp_path: Path) -> None:
    assert refusal(magic + checkpoint(GOOD), tmp_path).code == "file.other-kind"


def test_a_tar_is_refused_and_nothing_unpacked(tmp_path: Path) -> None:  # B36
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("../evil", "pickle", "tensors"):
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
    assert refusal(out.getvalue(), tmp_path).code == "file.other-kind"
    assert not (tmp_path.parent / "evil").exists()


def test_many_tensors_may_share_one_storage_but_not_to_fill_a_disk(tmp_path: Path) -> None:  # B40
    data = {"0": bytes(1 << 20)}
    stored = storage(count=1 << 18)
    tied = {f"w{index}": tensor((1 << 18,), stored=stored) for index in range(2000)}
    assert len(header_of(checkpoint(dictionary(tied), data), tmp_path).tensors) == 2000
    views = {f"w{index}": tensor(((1 << 18) - index,), stored=stored) for index in range(2000)}
    assert refusal(checkpoint(dictionary(views), data), tmp_path).code == "tensor.sharing"
