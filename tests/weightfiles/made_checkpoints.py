"""Checkpoints made byte by byte: pickle programs written by hand, in an archive as torch.save makes them."""

import io
import struct
import zipfile
from collections.abc import Mapping

FLOATS = b"\0\0\x80?\0\0\0@\0\0@@\0\0\x80@"
"""1, 2, 3, 4 in float32."""


Members = Mapping[str, bytes]


def archive(program: bytes, storages: Members | None = None, more: Members | None = None) -> bytes:
    """A checkpoint with that pickle; `more` adds members or replaces them."""
    members = {"data.pkl": program, "byteorder": b"little"}
    members |= {f"data/{key}": data for key, data in ({"0": FLOATS} if storages is None else storages).items()}
    members |= {"version": b"3\n", **(more or {})}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in members.items():
            made.writestr(f"archive/{name}", data)
    return out.getvalue()


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<L", len(data)) + data


def number(value: int) -> bytes:
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<l", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def named(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def storage(key: str = "0", count: int = 4, kind: str = "FloatStorage", location: str = "cpu") -> bytes:
    return b"(" + text("storage") + named("torch", kind) + text(key) + text(location) + number(count) + b"tQ"


NO_HOOKS = named("collections", "OrderedDict") + b")R"


def tensor(
    shape: tuple[int, ...] = (4,),
    strides: tuple[int, ...] = (1,),
    offset: int = 0,
    stored: bytes | None = None,
) -> bytes:
    """A tensor as torch.save writes it."""
    rebuild = named("torch._utils", "_rebuild_tensor_v2")
    data = storage() if stored is None else stored
    return rebuild + b"(" + data + number(offset) + numbers(shape) + numbers(strides) + b"\x89" + NO_HOOKS + b"tR"


def dictionary(values: Members) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in values.items()) + b"u"


def program(value: bytes) -> bytes:
    return b"\x80\x02" + value + b"."


def checkpoint(value: bytes, storages: Members | None = None) -> bytes:
    """A checkpoint whose one value is that."""
    return archive(program(value), storages)
