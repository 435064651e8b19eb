"""Files of NumPy made to break a reader: each is refused with its own code, and no header is ever evaluated."""

import io
import os
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import LocalFile
from app.weightfiles.containers import read_any_header
from app.weightfiles.file_header import FileHeader
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader
from app.wording import say
from tests.weightfiles.made_npy import header_text, npy
from tests.weightfiles.test_zip_archive import zipped

FOUR = struct.pack("<4f", 1, 2, 3, 4)
GOOD = npy("<f4", (4,), FOUR)


def header_of(content: bytes, folder: Path) -> FileHeader:
    path = folder / "weights.npy"
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


def dictionary(descr: str = "'<f4'", order: str = "False", shape: str = "(4,)", more: str = "") -> bytes:
    return header_text(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, {more}}}\n", FOUR)


@pytest.mark.parametrize(
    "text",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }          \n",
        '{"shape":(4,),"fortran_order":False,"descr":"<f4"}',
        "{ 'shape' : ( 4 , ) , 'descr' : '<f4' , 'fortran_order' : False }\t\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4L,)}",  # as Python 2 wrote it
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}",
    ],
)
def test_what_numpy_reads_is_read(text: str, tmp_path: Path) -> None:
    for version in ((1, 0), (2, 0), (3, 0)):
        if "L" in text and version == (3, 0):
            continue  # NumPy takes Python 2's numbers in the older versions only
        content = header_text(text, FOUR, version)
        (entry,) = header_of(content, tmp_path).tensors
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # NumPy complains of Python 2's numbers
            loaded = np.load(io.BytesIO(content))  # noqa: TID251 - the oracle
        assert (entry.name, entry.shape, entry.bytes) == ("weights", loaded.shape, loaded.nbytes)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (npy("<f8", (1 << 40,), b"\0" * 128), "npy.truncated"),  # D01
        (npy("<f4", (1 << 50,), FOUR), "tensor.dimension"),
        (npy("<f4", (1 << 40, 1 << 40), FOUR), "tensor.overflow"),
        (npy("<f4", (0, (1 << 63) - 1), b""), "tensor.dimension"),  # D11
        (npy("<f4", (1,) * 9, FOUR[:4]), "tensor.rank"),
        (npy("<f4", (3,), FOUR), "npy.trailing"),
        (npy("<f4", (5,), FOUR), "npy.truncated"),  # D08
        (npy("|O", (1,), b"\x80\x04N."), "npy.object"),  # D04
        (dictionary("[('a', '<f4'), ('b', '|O')]"), "npy.structured"),  # D05
        (dictionary("[('\xe9', '<f4')]"), "npy.structured"),
        (npy("|V2147483647", (1,), b""), "npy.void"),  # D09
        (npy("<V2", (4,), FOUR[:8]), "npy.void"),  # bfloat16 of ml_dtypes
        (npy("<f1", (4,), FOUR[:4]), "npy.void"),
        (npy("<U4", (1,), FOUR), "npy.dtype"),
        (npy("|S4", (4,), FOUR), "npy.dtype"),
        (npy("<M8[ns]", (2,), FOUR), "npy.dtype"),
        (npy("<f16", (1,), FOUR), "npy.dtype"),
        (npy("<c16", (1,), FOUR), "npy.dtype"),
        (npy("<i3", (1,), FOUR), "npy.dtype"),
        (npy("|b2", (1,), FOUR), "npy.dtype"),
        (npy("|f4", (4,), FOUR), "npy.dtype"),
        (npy("f4", (4,), FOUR), "npy.dtype"),
        (npy("<f4", (4,), FOUR, version=(9, 0)), "npy.version"),  # D13
        (npy("<f4", (4,), FOUR, version=(1, 1)), "npy.version"),
        (header_text("{", b"", (2, 0), 0xFFFFFFFF), "npy.header-too-long"),  # D06
        (header_text("{", b"", (1, 0), 5000), "npy.too-short"),
        (b"\x93NUMPY", "npy.too-short"),
        (b"\x93NUMPY\1\0v\0", "npy.too-short"),
        (header_text("(" * 9000), "npy.header"),  # D07
        (header_text("{" * 9000), "npy.header"),
        (header_text(""), "npy.too-short"),
        (header_text("[]    "), "npy.header"),
        (header_text("{}    "), "npy.header"),
        (header_text("__import__('os').system('touch ran')"), "npy.header"),
        (dictionary(shape="(4)"), "npy.header"),
        (dictionary(shape="(-4,)"), "npy.header"),
        (dictionary(shape="(2,,2)"), "npy.header"),
        (dictionary(shape="(2 2)"), "npy.header"),
        (dictionary(shape="(,)"), "npy.header"),
        (dictionary(shape="(04,)"), "npy.header"),
        (dictionary(shape="(4.0,)"), "npy.header"),
        (dictionary(shape="(True,)"), "npy.header"),
        (dictionary(shape="(2*2,)"), "npy.header"),
        (dictionary(shape="[4]"), "npy.header"),
        (dictionary(shape="(((4)))"), "npy.header"),
        (dictionary(shape="(" + "1," * 100 + ")"), "npy.header"),
        (dictionary(shape="(9999999999999999999999,)"), "npy.header"),
        (dictionary(order="0"), "npy.header"),
        (dictionary(order="None"), "npy.header"),
        (dictionary(descr="'<f4"), "npy.header"),
        (dictionary(descr="'\\x3cf4'"), "npy.header"),
        (dictionary(descr="None"), "npy.header"),
        (dictionary(more="'shape': (4,),"), "npy.header"),
        (dictionary(more="'evil': 1"), "npy.header"),
        (header_text("{'descr': '<f4', 'shape': (4,), }", FOUR), "npy.header"),
        (header_text("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), } #", FOUR), "npy.header"),
        (header_text("{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }\n\n", FOUR), "npy.header"),
        (b"\x80\x04\x95\x06\0\0\0\0\0\0\0K\x01.", "file.pickle"),  # D10
        (zipped({"a.npy": GOOD, "b.npy": b"\x80\x04K\x01."}), "npy.too-short"),  # D17
        (zipped({"a.npy": GOOD, "b.pkl": b"\x80\x04K\x01."}), None),
        (zipped({"a.npy": GOOD, "../../x.npy": GOOD}), "zip.path"),  # D18
        (zipped({"a.npy": GOOD, "x\n.npy": GOOD}), "zip.name-control"),
        (zipped({"a.npy": GOOD + b"\0"}), "npy.trailing"),
        (zipped({"a.npy": GOOD[:-1]}), "npy.truncated"),
        (zipped({"a.npy": npy("|O", (1,), b"\x80\x04N.")}, zipfile.ZIP_DEFLATED), "npy.object"),
        (zipped({"a.npy": npy("<f4", (50 << 20,), bytes(200 << 20))}, zipfile.ZIP_DEFLATED), "zip.ratio"),  # D19
    ],
)  # fmt: skip
def test_what_numpy_does_not_write_is_refused(content: bytes, code: str | None, tmp_path: Path) -> None:
    if code is not None:
        assert refusal(content, tmp_path).code == code
    else:  # an archive of files of other kinds, which is for those who read folders
        assert refusal(content, tmp_path).code == "file.zip"
    assert not Path("ran").exists()


def test_the_refused_array_of_an_archive_is_named(tmp_path: Path) -> None:
    error = refusal(zipped({"good.npy": GOOD, "bad.npy": npy("|O", (1,), b"N.")}), tmp_path)
    assert error.figures["tensor"] == "bad"


def test_a_deflated_array_that_lies_is_found_when_it_is_read(tmp_path: Path) -> None:
    array = npy("<f4", (50_000,), os.urandom(200_000))
    content = bytearray(zipped({"a.npy": array}, zipfile.ZIP_DEFLATED))
    content[150_000] ^= 1
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with WeightFile(path) as file, pytest.raises(WeightFileError, match=r"zip\.(crc|inflate)"):
        list(TensorReader(file).byte_chunks(file.header.tensors[0]))
