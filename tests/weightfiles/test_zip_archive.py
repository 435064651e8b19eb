"""Zip archives: what programs write is read as zipfile reads it; what could be read in two ways is refused."""

import io
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import read_exactly
from app.weightfiles.memory_ranges import MemoryRanges
from app.weightfiles.zip_archive import ZipArchive, read_archive
from app.weightfiles.zip_content import check_ratio, open_member, read_small

CONTENTS = {"a.bin": b"first", "folder/b.bin": b"", "c": bytes(range(256)) * 40}
LIMIT = 1 << 20


class Unseekable(io.RawIOBase):
    """A stream that is only written forward: sizes follow the data then."""

    def __init__(self) -> None:
        self.out = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        self.out += data
        return len(data)


def zipped(contents: dict[str, bytes], method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
        archive.comment = comment
    return out.getvalue()


def opened(content: bytes, *, equal_case: bool = True) -> ZipArchive:
    return read_archive(MemoryRanges("made.zip", content), equal_case=equal_case)


def contents_of(archive: ZipArchive) -> dict[str, bytes]:
    return {name: read_small(archive, member, LIMIT) for name, member in archive.members.items()}


def refusal(content: bytes, **how: bool) -> str:
    with pytest.raises(WeightFileError) as caught:
        contents_of(opened(content, **how))
    return caught.value.code


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_what_zipfile_writes_is_read(method: int) -> None:
    assert contents_of(opened(zipped(CONTENTS, method))) == CONTENTS
    assert contents_of(opened(zipped(CONTENTS, method, b"a comment"))) == CONTENTS


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("force", [False, True])
def test_sizes_behind_the_data_and_sizes_of_64_bits_are_read(method: int, *, force: bool) -> None:
    stream = Unseekable()
    seekable = io.BytesIO()
    for out in (stream, seekable):
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, data in CONTENTS.items():
                with archive.open(name, "w", force_zip64=force) as member:
                    member.write(data)
    assert contents_of(opened(bytes(stream.out))) == CONTENTS
    assert contents_of(opened(seekable.getvalue())) == CONTENTS


def test_an_archive_whose_end_needs_64_bits_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)  # every size, offset and the end in 64 bits
    content = zipped(CONTENTS)
    assert b"PK\x06\x06" in content
    assert contents_of(opened(content)) == CONTENTS


def test_folders_have_no_member(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a.bin").write_bytes(b"abc")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.write(tmp_path / "model", "model")
        archive.write(tmp_path / "model" / "a.bin", "model/a.bin")
    assert contents_of(opened(out.getvalue())) == {"model/a.bin": b"abc"}


def patched(content: bytes, at: int, new: bytes) -> bytes:
    return content[:at] + new + content[at + len(new) :]


ONE = zipped({"a.bin": b"first"})
TWO = zipped({"a.bin": b"first", "b.bin": b"other"})
DIRECTORY = TWO.index(b"PK\x01\x02")
SECOND_ENTRY = TWO.index(b"PK\x01\x02", DIRECTORY + 1)
SECOND_LOCAL = TWO.index(b"PK\x03\x04", 4)
END = TWO.index(b"PK\x05\x06")
NOTHING = zipped({"a.bin": b""}, zipfile.ZIP_DEFLATED)
DEFLATED = zipped({"a.bin": b"first" * 50}, zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "zip.start"),
        (zipped({}), "zip.empty"),
        (b"GGUF" + TWO, "zip.start"),
        (b"PK\x03\x04" + TWO, "zip.directory"),
        (TWO + b"\0", "zip.end"),
        (TWO[:-1], "zip.end"),
        (TWO[:END], "zip.end"),
        (TWO[:40], "zip.end"),
        (zipped(CONTENTS, comment=b"PK\x05\x06" + bytes(18)), None),
        (zipped(CONTENTS, comment=b"PK\x05\x06" + bytes(30)), "zip.end"),
        (patched(TWO, END + 10, b"\x01\0"), "zip.directory"),  # E07: the counts differ
        (patched(TWO, END + 8, b"\x01\0\x01\0"), "zip.directory"),  # both too small
        (patched(TWO, END + 8, b"\x03\0\x03\0"), "zip.directory"),
        (patched(TWO, END + 12, b"\xff\xff\xff\xff"), "zip.directory"),
        (patched(TWO, END + 16, b"\xff\xff\xff\xff"), "zip.directory"),
        (patched(TWO, END + 4, b"\x01\0"), "zip.directory"),  # on a second disk
        (patched(TWO, DIRECTORY, b"PK\x01\x03"), "zip.directory"),
        (patched(TWO, DIRECTORY + 6, b"\x40\0"), "zip.directory"),  # needs version 6.4
        (patched(TWO, DIRECTORY + 28, b"\xff\xff"), "zip.directory"),  # a name past the directory
        (patched(TWO, SECOND_ENTRY + 42, bytes(4)), "zip.overlap"),  # E05: two entries for one member
        (patched(TWO, DIRECTORY + 42, b"\x01\0\0\0"), "zip.start"),
        (patched(TWO, SECOND_ENTRY + 42, b"\xf0\xff\xff\x7f"), "zip.directory"),
        (patched(TWO, SECOND_ENTRY + 20, b"\xf0\xff\xff\x7f\xf0\xff\xff\x7f"), "zip.local-header"),
        (patched(TWO, SECOND_ENTRY + 20, b"\x04\0\0\0"), "zip.local-header"),
        (patched(patched(TWO, 18, b"\4\0\0\0\4\0\0\0"), DIRECTORY + 20, b"\4\0\0\0\4\0\0\0"), "zip.hole"),
        (patched(patched(TWO, 18, b"\6\0\0\0\6\0\0\0"), DIRECTORY + 20, b"\6\0\0\0\6\0\0\0"), "zip.overlap"),
        (patched(TWO, 30, b"c"), "zip.local-header"),  # two names
        (patched(TWO, 28, b"\xff\x0f"), "zip.overlap"),
        (patched(TWO, DIRECTORY + 16, b"\0\0\0\0"), "zip.local-header"),
        (patched(patched(TWO, 14, bytes(4)), DIRECTORY + 16, bytes(4)), "zip.crc"),
        (patched(TWO, 35, b"F"), "zip.crc"),  # B43: the content
        (patched(patched(TWO, 6, b"\1\0"), DIRECTORY + 8, b"\1\0"), "zip.encrypted"),  # B45
        (patched(patched(TWO, 6, b"\0\x20"), DIRECTORY + 8, b"\0\x20"), "zip.encrypted"),
        (patched(patched(TWO, 6, b"\x20\0"), DIRECTORY + 8, b"\x20\0"), "zip.method"),
        (patched(patched(TWO, 6, b"\x08\0"), DIRECTORY + 8, b"\x08\0"), "zip.hole"),
        (patched(patched(TWO, 8, b"\x0c\0"), DIRECTORY + 10, b"\x0c\0"), "zip.method"),  # bzip2
        (patched(TWO, DIRECTORY + 34, b"\x01\0"), "zip.directory"),
        (zipped({"../../evil": b""}), "zip.path"),  # E01
        (zipped({"/absolute": b""}), "zip.path"),
        (zipped({"C:/x": b""}), "zip.path"),
        (zipped({"a/../../b": b""}), "zip.path"),
        (zipped({"a//b": b""}), "zip.path"),
        (zipped({"./b": b""}), "zip.path"),
        (zipped({"line\nfeed": b""}), "zip.name-control"),
        (ONE.replace(b"a.bin", b"a\\bin"), "zip.path"),
        (ONE.replace(b"a.bin", b"a\xffbin"), "zip.name-encoding"),
        (TWO.replace(b"b.bin", b"a.bin"), "zip.twice"),  # E03
        (patched(DEFLATED, 35, b"\xff"), "zip.inflate"),
        (patched(NOTHING, NOTHING.index(b"\x03\x00PK"), b"\x03\xff"), "zip.inflate"),
        (patched(patched(DEFLATED, 22, b"\xfb\0"), DEFLATED.index(b"PK\x01\x02") + 24, b"\xfb\0"), "zip.inflate"),
        (patched(patched(DEFLATED, 22, b"\x05\0"), DEFLATED.index(b"PK\x01\x02") + 24, b"\x05\0"), "zip.inflate"),
    ],
)  # fmt: skip
def test_archives_that_lie_are_refused(content: bytes, code: str | None) -> None:
    if code is None:
        # A comment that is itself an end record, exactly at the end: the last one counts, and there is no directory.
        assert refusal(content) == "zip.directory"
    else:
        assert refusal(content) == code


def test_names_that_differ_only_in_case_are_refused_where_asked() -> None:
    content = zipped({"a.bin": b"1", "A.BIN": b"2"})
    assert len(opened(content).members) == 2
    assert refusal(content, equal_case=False) == "zip.twice"


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o010644])
def test_links_and_devices_are_refused(mode: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = mode << 16
        archive.writestr(info, b"/etc/passwd")
    assert refusal(out.getvalue()) == "zip.link"


def test_too_many_members_are_refused_by_their_count() -> None:
    assert refusal(zipped({f"{number}": b"" for number in range(10_001)})) == "zip.too-many"


def test_a_locator_that_points_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    content = zipped(CONTENTS)
    locator = content.index(b"PK\x06\x07")
    (true,) = struct.unpack_from("<Q", content, locator + 8)
    for at in (true - 1, 0, 1 << 63, len(content)):  # E08
        assert refusal(patched(content, locator + 8, struct.pack("<Q", at))) == "zip.directory"


def test_a_bomb_is_refused_before_it_is_inflated() -> None:
    content = zipped({"zeros": bytes(200 << 20)}, zipfile.ZIP_DEFLATED)
    archive = opened(content)
    with pytest.raises(WeightFileError, match=r"zip\.ratio"):
        check_ratio(archive, archive.members.values())
    with pytest.raises(WeightFileError, match=r"zip\.member-too-long"):
        read_small(archive, archive.members["zeros"], LIMIT)
    small = opened(zipped({"zeros": bytes(10 << 20)}, zipfile.ZIP_DEFLATED))
    check_ratio(small, small.members.values())


def test_a_deflated_member_is_read_at_any_offset() -> None:
    words = os.urandom(1 << 16)
    data = b"".join(words[at : at + 999] for at in range(0, 64_000, 13))
    archive = opened(zipped({"x": data}, zipfile.ZIP_DEFLATED))
    ranges = open_member(archive, archive.members["x"])
    assert len(data) > 4 << 20
    offsets = [0, len(data) - 100, 5, 3 << 20, (3 << 20) + 100, 1 << 20, len(data) - 7, 2 << 20, 0]
    for offset in offsets:
        count = min(5000, len(data) - offset)
        assert read_exactly(ranges, offset, count) == data[offset : offset + count]
    with pytest.raises(WeightFileError, match=r"file\.shrank"):
        read_exactly(ranges, len(data) - 1, 2)


def test_a_wrong_checksum_of_a_deflated_member_is_found_at_its_end() -> None:
    content = zipped({"x": b"some text, some text"}, zipfile.ZIP_DEFLATED)
    crc = struct.pack("<L", zlib.crc32(b"some text, some text"))
    archive = opened(content.replace(crc, b"abcd"))
    ranges = open_member(archive, archive.members["x"])
    assert read_exactly(ranges, 0, 10) == b"some text,"
    with pytest.raises(WeightFileError, match=r"zip\.crc"):
        read_exactly(ranges, 0, 20)


SEEDS = (TWO, DEFLATED, zipped(CONTENTS, zipfile.ZIP_DEFLATED, b"comment"))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_we_accept_of_damaged_archives_zipfile_reads_the_same(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content)))
        end = min(len(content), place + data.draw(st.integers(0, 2)))
        content[place:end] = data.draw(st.sampled_from((b"", b"\0", b"\xff", b"\x01")) | st.binary(max_size=2))
    try:
        ours = contents_of(opened(bytes(content)))
    except WeightFileError:
        return
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        assert ours == {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
