"""What the largest headers of GGUF cost: processor time and memory, each read in a process of its own."""

import struct
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.errors import WeightFileError
from app.weightfiles.checking import check_file
from tests.weightfiles.made_gguf import (
    ARRAY,
    BOOL,
    F16,
    FLOAT32,
    STRING,
    UINT8,
    array,
    entry,
    made,
    number,
    tensor,
    text,
)

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of reading one header in a process of its own."""

    seconds: float
    """Of the processor."""
    mebibytes: float
    """Beyond what the process had before."""
    found: str
    """The code of a refusal, or how many tensors and keys."""


READING = """
import sys, time
from app.errors import WeightFileError
from app.weightfiles.byte_ranges import LocalFile
from app.weightfiles.gguf_header import read_header

def resident(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

ranges, before, started = LocalFile(sys.argv[1]), resident("VmRSS"), time.process_time()
try:
    header = read_header(ranges)
    found = f"{len(header.tensors)} {len(header.metadata)}"
except WeightFileError as error:
    found = error.code
print(time.process_time() - started, (resident("VmHWM") - before) / 1024, found)
"""


def cost(content: bytes, path: Path) -> Cost:
    path.write_bytes(content)
    command = [sys.executable, "-c", READING, str(path)]
    seconds, mebibytes, found = subprocess.check_output(command, text=True, cwd=ROOT).strip().split(" ", 2)
    return Cost(float(seconds), float(mebibytes), found)


def many(count: int, value_type: int, value: bytes, size: int = 8) -> tuple[bytes, ...]:
    return tuple(entry(f"{index:0{size}d}", value_type, value) for index in range(count))


FLOATS = struct.pack("<64f", *(1 / (index + 1) for index in range(64)))
LARGEST = {
    "all at once": (
        lambda: made(
            many(65_536, ARRAY, array(UINT8, 70, bytes(70)), 50),
            tuple(tensor(f"{n:0120d}", (0,)) for n in range(65_536)),
        ),
        "65536 65536",
    ),
    "long texts": (lambda: made(many(8, STRING, text(b"x" * (16 << 20)))), "0 8"),
    "texts": (lambda: made(many(65_536, STRING, text(b"x" * 500))), "0 65536"),
    "floats": (lambda: made(many(65_536, ARRAY, array(FLOAT32, 64, FLOATS))), "0 65536"),
    "lists": (lambda: made(many(65_536, ARRAY, array(STRING, 2, text("a") * 2))), "0 65536"),
    "keys": (lambda: made(many(65_536, UINT8, b"\0", 100)), "gguf.keys-too-long"),
    "names": (lambda: made((), tuple(tensor(f"{n:01000d}", (0,)) for n in range(20_000))), "gguf.list-too-long"),
    "empty texts": (lambda: made(many(1, ARRAY, array(STRING, 4_000_000, number(0) * 4_000_000))), "0 1"),
    "too many texts": (
        lambda: made(many(3, ARRAY, array(STRING, 1_500_000, number(0) * 1_500_000))),
        "gguf.too-many-strings",
    ),
    "truths": (lambda: made(many(20, ARRAY, array(BOOL, 1 << 20, bytes(1 << 20)))), "0 20"),
}


@pytest.mark.parametrize("case", LARGEST)
def test_the_largest_headers_cost_no_more_than_two_seconds_and_64_mib(case: str, tmp_path: Path) -> None:
    build, found = LARGEST[case]
    spent = cost(build(), tmp_path / "x.gguf")
    assert spent.found == found
    assert spent.seconds < 2
    assert spent.mebibytes < 64


def test_a_header_longer_than_any_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    with path.open("wb") as file:
        file.write(made((), entry_count=40))
        for index in range(40):
            file.write(text(f"k{index}") + struct.pack("<I", STRING) + number(16 << 20))
            file.seek(16 << 20, 1)
        file.truncate()
    with pytest.raises(WeightFileError, match=r"gguf\.header-too-long"):
        check_file(path)


def test_a_file_of_ten_gigabytes_opens_at_once(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    header = made((), (tensor("a", (1 << 20, 2300), F16), tensor("b", (1 << 20, 2300), F16, 2300 << 21)))
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + (4600 << 21))
    started = time.process_time()
    assert check_file(path).bytes > 9.6e9
    assert time.process_time() - started < 0.1


def test_a_tokenizer_of_256_000_tokens_opens_in_a_third_of_a_second(tmp_path: Path) -> None:
    tokens = array(STRING, 256_000, b"".join(text(f"▁token{n}") for n in range(256_000)))
    scores = entry("tokenizer.ggml.scores", ARRAY, array(FLOAT32, 256_000, bytes(1_024_000)))
    spent = cost(made((entry("tokenizer.ggml.tokens", ARRAY, tokens), scores)), tmp_path / "x.gguf")
    assert spent.found == "0 2"
    assert spent.seconds < 0.3
    assert spent.mebibytes < 3
