"""What the campaign of damaged files needs for PyTorch and NumPy: small good files, and pieces of their grammars."""

import io
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from app.weightfiles import zip_container
from app.weightfiles.byte_ranges import ByteRanges, read_exactly
from app.weightfiles.file_header import FileHeader
from app.weightfiles.memory_ranges import MemoryRanges
from tests.weightfiles.made_checkpoints import (
    FLOATS,
    archive,
    dictionary,
    named,
    number,
    numbers,
    program,
    storage,
    tensor,
    text,
)
from tests.weightfiles.made_npy import npy

PICKLE_PIECES = (
    *(bytes([opcode]) for opcode in range(0x80, 0x99)),
    *(bytes([opcode]) for opcode in b"()0125.NJKMILFGVSUTXCBQRacdeghijlpqrstubP]}"),
    *(tensor(), storage(), storage("1"), number(1 << 40), numbers((2, 2)), text("w"), dictionary({"a": tensor()})),
    *(named("posix", "system"), named("torch._utils", "_rebuild_parameter"), named("collections", "OrderedDict")),
    *(b"q\0", b"h\0", b"r\xff\xff\xff\xff", b"\x94", b"K\1\x85", b"I01\n", b"L9L\n", b"F1e5\n", b"Va\\u0061\n"),
    *(b"S'a'\n", b")R"),
)
NPY_PIECES = (
    *(b"'", b'"', b"(", b")", b",", b":", b"{", b"}", b"[", b" ", b"\n", b"L", b"-", b"0", b"1", b"9" * 20, b"None"),
    *(b"True", b"False", b"'shape'", b"'descr'", b"'fortran_order'", b"<f4", b">f8", b"|O", b"|V2", b"|b1", b"<c8"),
    *(b"(2,3)", npy("<f4", (1,), bytes(4))),
)
ZIP_PIECES = (
    *(b"PK\1\2", b"PK\7\x08", b"PK\6\6", b"PK\6\7", b"../", b"/", b"\\", b"data.pkl", b".npy", b"data/0"),
    *(b"\1\0", b"\x08\0", b"\1\0\x10\0", b"\xff\xff\xff\xff" * 2),
)


STORAGES = {"0": FLOATS, "1": bytes(8)}


def _programs() -> list[bytes]:
    """Of values whose storages are those above."""
    saved = []
    weight = torch.nn.Parameter(torch.ones(2, 2))
    for value, protocol in (
        (OrderedDict(weight=weight.detach(), bias=torch.ones(2)), 2),
        ({"model": {"w": weight, 3: [weight.T, 0.5, "name"]}, "f": torch.zeros(8).to(torch.float8_e5m2)}, 2),
        ({"w": torch.ones(2, 2)[:, :1].expand(2, 4), "epoch": 1 << 40, "none": None}, 4),
    ):
        out = io.BytesIO()
        torch.save(value, out, pickle_protocol=protocol)
        with zipfile.ZipFile(out) as made:
            saved.append(made.read("archive/data.pkl"))
    return saved


def pickle_seeds() -> Sequence[bytes]:
    """Programs alone: in an archive, damage would be found by its checksum."""
    return [*_programs(), program(dictionary({"a": tensor(), "b": tensor((2, 2), (1, 2))}))]


def read_pickle(ranges: ByteRanges) -> FileHeader:
    """Puts the program into an archive, and reads that."""
    content = archive(read_exactly(ranges, 0, ranges.size), STORAGES)
    header = zip_container.read_header(MemoryRanges("x", content))
    assert all(0 <= entry.begin <= entry.end <= len(content) for entry in header.tensors)
    return replace(header, tensors=())


def bare_pickle_seeds() -> Sequence[bytes]:
    """Pickles without an archive, one and several."""
    out = io.BytesIO()
    torch.save({"w": torch.ones(2)}, out, _use_new_zipfile_serialization=False)
    return [out.getvalue(), *_programs()]


def npy_seeds() -> Sequence[bytes]:
    """Arrays of several kinds and versions."""
    turned = np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3))
    out = io.BytesIO()
    np.save(out, turned)
    return [out.getvalue(), npy("<f4", (2, 3), bytes(24)), npy("|b1", (), b"\1", version=(2, 0))]


def zip_seeds() -> Sequence[bytes]:
    """Archives, stored and deflated, as torch and NumPy write them."""
    made = [archive(program(dictionary({"a": tensor()})))]
    for save in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        save(out, a=np.ones(3, dtype=np.float32), b=np.zeros((2, 40)))
        made.append(out.getvalue())
    out = io.BytesIO()
    torch.save({"w": torch.ones(3)}, out)
    return [*made, out.getvalue()]
