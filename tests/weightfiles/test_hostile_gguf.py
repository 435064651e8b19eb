"""Every rule of GGUF, broken once: one stable code, one sentence in each language, quickly, in little memory."""

import io
import struct
import time
import zipfile
from pathlib import Path

import pytest

from app.errors import WeightFileError
from app.weightfiles import gguf_header, gguf_metadata, gguf_values
from app.weightfiles.checking import check_file
from app.weightfiles.gguf_header import read_header
from app.weightfiles.memory_ranges import MemoryRanges
from app.wording import Language, say
from tests.weightfiles.made_gguf import (
    ARRAY,
    BOOL,
    Q4_0,
    Q4_K,
    STRING,
    UINT8,
    UINT32,
    array,
    entry,
    made,
    number,
    tensor,
    text,
    word,
)

SIXTEEN = bytes(range(16))
W = tensor()


def one(**wrong: object) -> bytes:
    return made((), (tensor(**wrong),), SIXTEEN)  # type: ignore[arg-type]


def key(value_type: int, value: bytes, name: bytes | str = "k") -> bytes:
    return made((entry(name, value_type, value),), (W,), SIXTEEN)


def aligned(value: int) -> bytes:
    return made((word("general.alignment", value),), (W,), SIXTEEN)


def and_zip(content: bytes) -> bytes:
    out = io.BytesIO(content)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("x", b"")
    return out.getvalue()


ZIP = and_zip(b"")

BROKEN = {
    "magic only": (b"GGUF", "gguf.cut"),
    "no counts": (b"GGUF\3\0\0\0", "gguf.cut"),
    "half the counts": (b"GGUF\3\0\0\0" + b"\0" * 12, "gguf.cut"),
    "version 0": (made(version=0), "gguf.version"),
    "version 1": (made(version=1), "gguf.version"),
    "version 999": (made(version=999), "gguf.version"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "gguf.big-endian"),
    "2^63 entries": (made(entry_count=1 << 63), "gguf.too-many-keys"),
    "2^63 tensors": (made(tensor_count=1 << 63), "gguf.too-many-tensors"),
    "2^40 entries in 24 bytes": (made(entry_count=1 << 40), "gguf.too-many-keys"),
    "65 536 entries in 24 bytes": (made(entry_count=65_536), "gguf.keys-past-end"),
    "65 537 entries": (made((b"\0" * 2_000_000,), entry_count=65_537), "gguf.too-many-keys"),
    "65 536 tensors in 24 bytes": (made(tensor_count=65_536), "gguf.tensors-past-end"),
    "65 537 tensors": (made((), (b"\0" * 4_000_000,), tensor_count=65_537), "gguf.too-many-tensors"),
    "three entries, one there": (made((word("k", 1),), (W,), SIXTEEN, entry_count=3), "gguf.key-length"),
    "one entry too few": (made((word("k", 1), word("l", 1)), (W,), SIXTEEN, entry_count=1), "tensor.overflow"),
    "key of 2^63 bytes": (made((text(b"", 1 << 63) + b"\0" * 8,)), "gguf.key-length"),
    "key of no bytes": (made((word("", 1),)), "gguf.key-length"),
    "key of 1 025 bytes": (made((word("k" * 1025, 1),)), "gguf.key-length"),
    "key past the end": (made((text(b"k" * 5, 900) + b"\0" * 8,)), "gguf.cut"),
    "key that is no UTF-8": (made((word(b"\xff\xfe", 1),)), "gguf.key-utf8"),
    "key with NUL": (made((word("a\0b", 1),)), "gguf.key-control"),
    "key with CR LF": (made((word("a\r\nX: y", 1),)), "gguf.key-control"),
    "key twice": (made((word("k", 1), word("k", 1))), "gguf.duplicate-key"),
    "key twice, other types": (made((word("k", 1), entry("k", STRING, text("x")))), "gguf.duplicate-key"),
    "alignment twice": (made((word("general.alignment", 32), word("general.alignment", 64))), "gguf.duplicate-key"),
    "value type 13": (key(13, SIXTEEN), "gguf.value-type"),
    "value type 99": (key(99, SIXTEEN), "gguf.value-type"),
    "value type 2^32-1": (key(0xFFFFFFFF, SIXTEEN), "gguf.value-type"),
    "text of 2^62 bytes": (key(STRING, number(1 << 62)), "gguf.string-length"),
    "text of 2^64-1 bytes": (key(STRING, number((1 << 64) - 1)), "gguf.string-length"),
    "text of 16 MiB and one": (key(STRING, number((16 << 20) + 1)), "gguf.string-length"),
    "text past the end": (key(STRING, text("abc", 1_000_000)), "gguf.value-past-end"),
    "value cut": (made((entry("k", UINT32, b"\0\0"),)), "gguf.cut"),
    "boolean of 2": (key(BOOL, b"\2"), "gguf.bool"),
    "boolean of 255 in a list": (key(ARRAY, array(BOOL, 3, b"\0\1\xff")), "gguf.bool"),
    "list of 2^63 bytes": (key(ARRAY, array(UINT8, 1 << 63)), "gguf.array-length"),
    "list of 2^40 words": (key(ARRAY, array(UINT32, 1 << 40)), "gguf.array-length"),
    "list of 16 M and one": (key(ARRAY, array(UINT8, (1 << 24) + 1)), "gguf.array-length"),
    "list past the end": (key(ARRAY, array(UINT32, 1000)), "gguf.value-past-end"),
    "list of texts past the end": (key(ARRAY, array(STRING, 1000)), "gguf.value-past-end"),
    "list whose second text is past the end": (
        key(ARRAY, array(STRING, 2, text("a") + text("b", 500) + b"\0" * 8)), "gguf.value-past-end",
    ),
    "long list whose last text is past the end": (
        key(ARRAY, array(STRING, 1000, text("a") * 999 + text("b", 100_000))), "gguf.cut",
    ),
    "long list whose last text has 2^63 bytes": (
        key(ARRAY, array(STRING, 1000, text("a") * 999 + number(1 << 63))), "gguf.string-length",
    ),
    "list of lists": (key(ARRAY, array(ARRAY, 1, array(UINT8, 1, b"\0"))), "gguf.array-of-arrays"),
    "empty list of lists": (key(ARRAY, array(ARRAY, 0)), "gguf.array-of-arrays"),
    "lists nested 5 000 deep": (key(ARRAY, array(ARRAY, 1) * 5000), "gguf.array-of-arrays"),
    "list of type 13": (key(ARRAY, array(13, 1, SIXTEEN)), "gguf.value-type"),
    "alignment 0": (aligned(0), "gguf.alignment"),
    "alignment 1": (aligned(1), "gguf.alignment"),
    "alignment 3": (aligned(3), "gguf.alignment"),
    "alignment 4": (aligned(4), "gguf.alignment"),
    "alignment 48": (aligned(48), "gguf.alignment"),
    "alignment 2^17": (aligned(1 << 17), "gguf.alignment"),
    "alignment 2^31": (aligned(1 << 31), "gguf.alignment"),
    "alignment as text": (key(STRING, text("32"), "general.alignment"), "gguf.alignment-type"),
    "alignment as uint64": (key(10, number(32), "general.alignment"), "gguf.alignment-type"),
    "alignment as a list": (key(ARRAY, array(UINT32, 1, b" \0\0\0"), "general.alignment"), "gguf.alignment-type"),
    "a million dimensions": (made((), (text("w") + struct.pack("<I", 1_000_000) + b"\0" * 64,)), "tensor.rank"),
    "five dimensions": (one(dimensions=(1,) * 5), "tensor.rank"),
    "dimensions 2^32 * 2^32": (one(dimensions=(1 << 32, 1 << 32)), "tensor.overflow"),
    "dimensions that overflow to the right size": (one(dimensions=(1 << 31, 1 << 31, 4)), "tensor.overflow"),
    "dimensions that overflow before a zero": (one(dimensions=(0, 1 << 40, 1 << 40)), "tensor.overflow"),
    "dimension 2^64-1": (one(dimensions=((1 << 64) - 1,)), "tensor.dimension"),
    "dimension 2^63": (one(dimensions=(1 << 63, 0)), "tensor.dimension"),
    "dimension beyond 2^48": (one(dimensions=(1 << 48,)), "tensor.dimension"),
    "offset 2^40": (one(offset=1 << 40), "gguf.truncated"),
    "offset 2^64-32": (one(offset=(1 << 64) - 32), "gguf.truncated"),
    "4 MiB in 16 bytes": (one(dimensions=(1 << 20,)), "gguf.truncated"),
    "4 MiB of blocks in 16 bytes": (one(dimensions=(1 << 23,), type_number=Q4_0), "gguf.truncated"),
    "one byte short": (one()[:-1], "gguf.truncated"),
    "a scalar without a byte": (made((), (tensor(dimensions=()),)), "gguf.truncated"),
    "tensor twice": (made((), (W, tensor(offset=32)), bytes(64)), "gguf.duplicate-tensor"),
    "same bytes twice": (made((), (W, tensor("v")), bytes(64)), "gguf.overlap"),
    "half the bytes twice": (
        made((), (tensor(dimensions=(12,)), tensor("v", offset=32)), bytes(64)), "gguf.overlap",
    ),
    "empty tensor in the middle of another": (
        made((), (tensor(dimensions=(12,)), tensor("v", (0,), offset=32)), bytes(64)), "gguf.overlap",
    ),
    "hole at the start": (made((), (tensor(offset=32),), bytes(64)), "gguf.hole"),
    "hole between": (made((), (W, tensor("v", offset=64)), bytes(96)), "gguf.hole"),
    "bytes left": (made((), (W,), bytes(33)), "gguf.trailing"),
    "a page left": (made((), (W,), bytes(4096)), "gguf.trailing"),
    "data without tensors": (made() + bytes(64), "gguf.trailing"),
    "offset 1": (made((), (tensor(offset=1),), bytes(32)), "gguf.offset-alignment"),
    "offset aligned to less": (
        made((word("general.alignment", 64),), (tensor(offset=32),), bytes(128)), "gguf.offset-alignment",
    ),
    "removed type 4": (one(type_number=4), "gguf.removed-type"),
    "removed type 31": (one(type_number=31), "gguf.removed-type"),
    "removed type 38": (one(type_number=38), "gguf.removed-type"),
    "type 0x7fffffff": (one(type_number=0x7FFFFFFF), "gguf.unknown-type"),
    "type 2^32-1": (one(type_number=0xFFFFFFFF), "gguf.unknown-type"),
    "rows of 33 in blocks of 32": (one(dimensions=(33,), type_number=Q4_0), "gguf.row"),
    "columns fit, rows do not": (one(dimensions=(16, 2), type_number=Q4_0), "gguf.row"),
    "rows of 128 in blocks of 256": (one(dimensions=(128, 2), type_number=Q4_K), "gguf.row"),
    "a scalar in blocks": (one(dimensions=(), type_number=Q4_0), "gguf.row"),
    "name of 1 025 bytes": (one(name="n" * 1025), "gguf.name-length"),
    "name of 2^63 bytes": (made((), (text("w", 1 << 63) + b"\0" * 32,)), "gguf.name-length"),
    "name that is no UTF-8": (one(name=b"\xc3\x28"), "gguf.name-utf8"),
    "name with a lone surrogate": (one(name=b"\xed\xa0\x80"), "gguf.name-utf8"),
    "name with NUL": (one(name="a\0b"), "tensor.name-control"),
    "name with a C1 control": (one(name="a\x85b"), "tensor.name-control"),
    "tensor cut": (made((), (W,))[: 24 + len(W) - 4], "gguf.cut"),
    "split into 10^9 files": (made((word("split.count", 10**9), word("split.no", 5)), (W,), b"\0"), "gguf.truncated"),
    "a zip at the end of the data": (
        made((), (tensor(dimensions=(len(ZIP),), type_number=24),), ZIP), "gguf.ambiguous",
    ),
}  # fmt: skip


def refusal(path: Path) -> WeightFileError:
    started = time.process_time()
    with pytest.raises(WeightFileError) as caught:
        check_file(path)
    assert time.process_time() - started < 2
    for language in Language:
        sentence = say(caught.value.code, caught.value.figures, language)
        assert len(sentence) < 600
        assert sentence.isprintable()
    return caught.value


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_refused_by_its_code(case: str, tmp_path: Path) -> None:
    content, code = BROKEN[case]
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    assert refusal(path).code == code


def test_a_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole = made(
        (word("k", 1), entry("t", STRING, text("abc")), entry("l", ARRAY, array(STRING, 2, text("a") + text("b")))),
        (tensor(), tensor("v", (32, 2), Q4_0, 32)),
        bytes(68),
    )
    path = tmp_path / "x.gguf"
    path.write_bytes(whole)
    assert check_file(path).tensors == 2
    for length in range(4, len(whole)):
        path.write_bytes(whole[:length])
        assert refusal(path).code in {
            "gguf.cut", "gguf.keys-past-end", "gguf.tensors-past-end", "gguf.value-past-end", "gguf.truncated",
        }  # fmt: skip


def test_every_byte_may_have_every_other_value() -> None:
    whole = bytearray(made((word("k", 1), entry("l", ARRAY, array(STRING, 1, text("a")))), (W,), SIXTEEN))
    for place in range(4, len(whole)):
        for value in (0, 1, 9, 0x7F, 0x80, 0xFF):
            changed = whole.copy()
            changed[place] = value
            try:
                header = read_header(MemoryRanges("x", bytes(changed)))
            except WeightFileError as error:
                say(error.code, error.figures)
                continue
            assert all(0 <= each.begin <= each.end <= len(whole) for each in header.tensors)


def test_the_limits_are_those_that_are_documented() -> None:
    assert gguf_metadata.MAX_KEYS == gguf_header.MAX_TENSORS == 65_536
    assert gguf_metadata.MAX_KEY_BYTES == 1024
    assert (gguf_values.MAX_STRING_BYTES, gguf_values.MAX_ARRAY) == (16 << 20, 1 << 24)


def test_a_name_as_long_as_ours_may_be_is_accepted_though_llama_cpp_stops_at_63(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    for length in (64, 65, 1024):
        path.write_bytes(one(name="n" * length))
        assert check_file(path).tensors == 1
