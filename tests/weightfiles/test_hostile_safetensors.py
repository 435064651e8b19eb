"""Every rule of the container, broken once: one stable code, one sentence in each language, quickly."""

import json
import time
from pathlib import Path

import pytest

from app.errors import WeightFileError
from app.weightfiles.checking import check_file
from app.wording import Language, say


def entry(dtype: object = "F32", shape: object = (1,), offsets: object = (0, 4)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def one(**fields: object) -> dict[str, object]:
    return {"a": entry(**fields)}


FOUR = b"\0\0\x80\x3f"
TWO_SAME = '{"a":%s,"a":%s}' % ((json.dumps(entry()),) * 2)
NINES = "9" * 100_000

# What is in the header, what follows it, and the code of the refusal.
BROKEN = {
    "json cut": ('{"a":', b"", "header.syntax"),
    "json cut in a string": ('{"a', b"", "header.syntax"),
    "text after the object": ("{}x", b"", "header.syntax"),
    "zeros after the object": (b"{}\0\0", b"", "header.syntax"),
    "array at the top": ("[1,2,3]", b"", "safetensors.header-start"),
    "text at the top": ('"abcdef"', b"", "safetensors.header-start"),
    "space before": (" {}", b"", "safetensors.header-start"),
    "byte order mark": (b"\xef\xbb\xbf{}", b"", "safetensors.header-start"),
    "utf-16": ("{}".encode("utf-16-le"), b"", "header.syntax"),
    "invalid utf-8 in a name": (b'{"\xff":1}', b"", "header.utf8"),
    "nothing in the header": ("", b"", "safetensors.too-short"),
    "one space as header": (" ", b"", "safetensors.header-missing"),
    "same bytes twice": ({"a": entry(), "b": entry()}, FOUR, "safetensors.overlap"),
    "half the bytes twice": ({"a": entry(), "b": entry(offsets=(2, 6))}, FOUR + b"\0\0", "safetensors.overlap"),
    "hole at the start": (one(offsets=(4, 8)), FOUR * 2, "safetensors.hole"),
    "hole between": ({"a": entry(), "b": entry(offsets=(8, 12))}, FOUR * 3, "safetensors.hole"),
    "empty tensor in the middle of another": (
        {"a": entry(shape=(2,), offsets=(0, 8)), "b": entry(shape=(0,), offsets=(4, 4))},
        FOUR * 2,
        "safetensors.overlap",
    ),
    "bytes left": (one(), FOUR + b"\0", "safetensors.trailing"),
    "data without tensors": ({}, FOUR, "safetensors.trailing"),
    "one byte short": (one(), FOUR[:3], "safetensors.truncated"),
    "a terabyte claimed": (one(dtype="U8", shape=(1 << 40,), offsets=(0, 1 << 40)), FOUR, "safetensors.truncated"),
    "shape larger than offsets": (one(shape=(2,)), FOUR, "safetensors.size-mismatch"),
    "shape smaller than offsets": (one(shape=(0,)), FOUR, "safetensors.size-mismatch"),
    "product overflows": (one(shape=(1 << 33, 1 << 33)), FOUR, "tensor.overflow"),
    "product overflows to the right size": (one(shape=(1 << 32, 1 << 32)), FOUR, "tensor.overflow"),
    "product overflows before a zero": (one(shape=(1 << 33, 1 << 33, 0), offsets=(0, 0)), b"", "tensor.overflow"),
    "negative offset": (one(offsets=(-4, 0)), FOUR, "safetensors.offset-order"),
    "negative dimension": (one(shape=(-1,)), FOUR, "tensor.dimension"),
    "two negative dimensions": (one(shape=(-1, -1)), FOUR, "tensor.dimension"),
    "end before begin": (one(offsets=(4, 0)), FOUR, "safetensors.offset-order"),
    "one offset": (one(offsets=(0,)), FOUR, "safetensors.offsets"),
    "three offsets": (one(offsets=(0, 4, 4)), FOUR, "safetensors.offsets"),
    "offsets as text": (one(offsets=("0", "4")), FOUR, "safetensors.offsets"),
    "offsets as booleans": (one(offsets=(False, True)), FOUR, "safetensors.offsets"),
    "offset with a fraction": ('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4.0]}}', FOUR, "header.number"),
    "offset of 100 000 digits": (
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,' + NINES + "]}}", FOUR, "header.array",
    ),
    "offset of 60 digits": (
        '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,' + NINES[:60] + "]}}", FOUR, "header.number",
    ),
    "a number of 100 000 digits": ('{"a":' + NINES + "}", b"", "header.number"),
    "minus zero": ('{"a":{"dtype":"F32","shape":[1],"data_offsets":[-0,4]}}', FOUR, "header.number"),
    "exponent": ('{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}', FOUR, "header.number"),
    "infinity": ('{"a":{"dtype":"F32","shape":[Infinity],"data_offsets":[0,4]}}', FOUR, "header.number"),
    "nan": ('{"a":NaN}', FOUR, "header.number"),
    "duplicate tensor": (TWO_SAME, FOUR, "header.duplicate"),
    "duplicate field": ('{"a":{"dtype":"F32","dtype":"F32","shape":[]}}', FOUR, "header.duplicate"),
    "duplicate by escape": (r'{"__metadata__":{"k":"1","\u006b":"2"}}', b"", "header.duplicate"),
    "two metadata": ('{"__metadata__":{},"__metadata__":{}}', b"", "header.duplicate"),
    "metadata number": ({"__metadata__": {"k": 1}}, b"", "safetensors.metadata"),
    "metadata null": ({"__metadata__": {"k": None}}, b"", "safetensors.metadata"),
    "metadata list": ({"__metadata__": []}, b"", "safetensors.metadata"),
    "metadata object inside": ({"__metadata__": {"k": {}}}, b"", "safetensors.metadata"),
    "unknown dtype": (one(dtype="Q99"), FOUR, "safetensors.unknown-dtype"),
    "dtype in small letters": (one(dtype="f32"), FOUR, "safetensors.unknown-dtype"),
    "dtype number": (one(dtype=7), FOUR, "safetensors.unknown-dtype"),
    "shape with a fraction": ('{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', FOUR, "header.number"),
    "shape null": (one(shape=None), FOUR, "safetensors.shape"),
    "shape of booleans": (one(shape=(True,)), FOUR, "safetensors.shape"),
    "shape of lists": (one(shape=((1,),)), FOUR, "safetensors.shape"),
    "field missing": ({"a": {"dtype": "F32", "shape": [1]}}, FOUR, "safetensors.fields"),
    "field too many": ({"a": {**entry(), "extra": 1}}, FOUR, "safetensors.fields"),
    "entry is a list": ({"a": []}, b"", "safetensors.fields"),
    "entry is null": ({"a": None}, b"", "safetensors.fields"),
    "nested 100 000 deep": ('{"a":' + "[" * 100_000, b"", "header.depth"),
    "objects nested 1 000 deep": ('{"a":' * 1000 + "1" + "}" * 1000, b"", "header.depth"),
    "dimension beyond 2^48": (one(shape=(0, (1 << 63) - 1), offsets=(0, 0)), b"", "tensor.dimension"),
    "name with NUL": ({"a\0b": entry()}, FOUR, "tensor.name-control"),
    "name with CR LF": ({"a\r\nX: y": entry()}, FOUR, "tensor.name-control"),
    "name with a C1 control": ({"a\x85b": entry()}, FOUR, "tensor.name-control"),
    "name with a raw control": (b'{"a\x01":1}', b"", "header.syntax"),
    "name of 5 MB": ({"n" * 5_000_000: entry()}, FOUR, "tensor.name-too-long"),
    "name of 1 025 bytes": ({"é" * 512 + "x": entry()}, FOUR, "tensor.name-too-long"),
    "three 4-bit elements": (one(dtype="F4", shape=(3,), offsets=(0, 2)), FOUR[:2], "safetensors.sub-byte"),
    "one 6-bit element": (one(dtype="F6_E2M3", shape=(1,), offsets=(0, 1)), FOUR[:1], "safetensors.sub-byte"),
    "rank 9": (one(shape=(1,) * 9), FOUR, "tensor.rank"),
    "rank 1000": (one(shape=(1,) * 1000), FOUR, "tensor.rank"),
    "a list of 64 KiB": (one(shape=(1,) * 40_000), FOUR, "header.array"),
    "lone surrogate in a name": (r'{"\ud800":{}}', b"", "header.surrogate"),
    "lone surrogate in the metadata": (r'{"__metadata__":{"k":"\udfff"}}', b"", "header.surrogate"),
    "quadratic quotes": ('{"' + '\\"' * 500_000, b"", "header.syntax"),
}  # fmt: skip


def refusal(path: Path) -> WeightFileError:
    started = time.process_time()
    with pytest.raises(WeightFileError) as caught:
        check_file(path)
    assert time.process_time() - started < 4
    for language in Language:
        sentence = say(caught.value.code, caught.value.figures, language)
        assert len(sentence) < 600
        assert sentence.isprintable()
    return caught.value


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_refused_by_its_code(case: str, build) -> None:
    header, data, code = BROKEN[case]
    assert refusal(build(header, data)).code == code


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file.empty"),
        (b"1234567", "safetensors.too-short"),
        (b"12345678", "safetensors.too-short"),
        (b"\xff" * 8 + b"{}", "safetensors.header-too-long"),
        ((100_000_001).to_bytes(8, "little") + b"{}", "safetensors.header-too-long"),
        (((32 << 20) + 1).to_bytes(8, "little") + b"{}", "safetensors.header-too-long"),
        ((1000).to_bytes(8, "little") + b"{}", "safetensors.header-past-end"),
        ((0).to_bytes(8, "little") + b"{}", "safetensors.header-missing"),
    ],
)
def test_a_wrong_header_length_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    assert refusal(path).code == code


def test_a_sparse_64_gib_file_is_checked_at_once(build) -> None:
    size = 64 << 30
    path = build(one(dtype="U8", shape=(size,), offsets=(0, size)))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + size)
    assert check_file(path).bytes == path.stat().st_size


@pytest.mark.parametrize(
    ("tensors", "code"),
    [(100_000, None), (100_001, "safetensors.too-many-tensors"), (300_000, "header.too-many-values")],
)
def test_the_number_of_tensors_is_limited(build, tensors: int, code: str | None) -> None:
    empty = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    path = build("{" + ",".join(f'"t{index}":{empty}' for index in range(tensors)) + "}")
    if code is None:
        assert check_file(path).tensors == tensors
    else:
        assert refusal(path).code == code


def test_millions_of_values_are_refused_before_they_are_built(build) -> None:
    assert refusal(build('{"__metadata__":{' + '"k":"",' * 2_000_000)).code == "header.too-many-values"


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "../../etc/passwd", "层.权重", "a\u202eb", "😀", ""])
def test_odd_names_are_text_like_any_other(name: str, build) -> None:
    assert check_file(build({name: entry()}, FOUR)).tensors == 1


def test_tensors_may_be_named_as_the_fields_of_one(build) -> None:
    names = ("dtype", "shape", "data_offsets")
    header = {name: entry(offsets=(4 * index, 4 * index + 4)) for index, name in enumerate(names)}
    assert check_file(build(header, FOUR * 3)).tensors == 3
    header["__metadata__"] = dict.fromkeys(names, "F32")
    assert check_file(build(header, FOUR * 3)).tensors == 3


def test_errors_quote_names_escaped(build) -> None:
    error = refusal(build({"a\u202e\u2028b": entry(shape=(2,))}, FOUR))
    assert error.figures["tensor"] == "a\\u202e\\u2028b"


def test_the_limits_themselves_are_accepted(build) -> None:
    name = "é" * 512
    assert check_file(build({name: entry(shape=(1,) * 8)}, FOUR)).tensors == 1
    assert check_file(build({"a": entry(shape=(0, (1 << 48) - 1), offsets=(0, 0))})).tensors == 1
    assert check_file(build("{}" + " " * 6)).tensors == 0


def test_header_length_is_believed_only_within_the_file(build) -> None:
    assert refusal(build("{}", length=3)).code == "safetensors.header-past-end"
