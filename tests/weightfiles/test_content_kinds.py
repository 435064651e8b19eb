import io
import json
import zipfile
from pathlib import Path

import pytest
import torch

from app.errors import WeightFileError
from app.weightfiles.checking import check_file

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1\nsize 12345\n"


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def pytorch_checkpoint(**how: object) -> bytes:
    out = io.BytesIO()
    torch.save({"w": torch.zeros(3)}, out, **how)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (LFS, "file.git-lfs-pointer"),
        (pytorch_checkpoint(_use_new_zipfile_serialization=False), "pytorch.legacy"),
        (b"\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94\x8c\x01a\x94K\x01s.", "file.pickle"),
        (b"(dp0\nS'a'\np1\nI1\ns.", "file.pickle"),
        (zipped({"model.safetensors": b"x"}), "safetensors.too-short"),
        (zipped({}), "zip.empty"),
        (b"<!DOCTYPE html><html><head>", "file.html"),
        (b"\n  <html lang=en>", "file.html"),
        (json.dumps({"metadata": {}, "weight_map": {"a": "../x.safetensors"}}).encode(), "index.shard-name"),
        (b'{"model_type": "bert"}', "file.json"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 20, "file.other-kind"),
        (b"MZ\x90\0" + b"\0" * 60, "file.other-kind"),
        (b"%PDF-1.7\n%\xe2\xe3", "file.other-kind"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "file.other-kind"),
        (b"\x93NUMPY\x01\0v\0{'descr': '<f4'}", "npy.too-short"),
        (b"sys_info\0".ljust(257, b"\0") + b"ustar\x0000", "file.other-kind"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "file.other-kind"),
        (b"7z\xbc\xaf\x27\x1c\0\x04\0\0", "file.other-kind"),
        (b"just some words, no weights at all", "safetensors.header-too-long"),
    ],
)
def test_what_people_upload_by_mistake_is_named(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightFileError) as caught:
        check_file(path)
    assert caught.value.code == code


def test_content_decides_not_the_extension(build, tmp_path: Path) -> None:
    path = build({"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}, b"ab").rename(tmp_path / "weights.bin")
    assert check_file(path).kind == "safetensors"


def test_a_header_whose_length_looks_like_a_pickle_is_fine(build) -> None:
    # 640 is 0x0280, the bytes 80 02 that a pickle begins with.
    assert check_file(build("{}" + " " * 638)).tensors == 0


def test_a_safetensors_file_that_is_also_a_zip_is_refused(build) -> None:
    archive = zipped({"data.pkl": b"x"})
    header = {"a": {"dtype": "U8", "shape": [len(archive)], "data_offsets": [0, len(archive)]}}
    with pytest.raises(WeightFileError) as caught:
        check_file(build(header, archive))
    assert (caught.value.code, caught.value.figures["other"]) == ("safetensors.ambiguous", "zip")


def test_a_safetensors_file_that_is_also_a_pickle_is_refused(build) -> None:
    # A header of 0x4728 bytes begins with `(G`: MARK, and BINFLOAT that swallows the length's other bytes and `{"`.
    # Then POP, LIST and STOP leave one empty list.
    header = b'{"0l.":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    path = build(header + b" " * (0x4728 - len(header)))
    assert path.read_bytes()[:2] == b"(G"
    with pytest.raises(WeightFileError) as caught:
        check_file(path)
    assert (caught.value.code, caught.value.figures["other"]) == ("safetensors.ambiguous", "pickle")


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, kind: str) -> None:
    import os

    path = tmp_path / "x.safetensors"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(WeightFileError, match=r"file\.unreadable|folder\.no-weights"):
        check_file(path)
