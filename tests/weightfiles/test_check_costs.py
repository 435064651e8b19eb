"""The check of an upload, in its own process, on the worst file of each kind: bounded in processor time and memory."""

import json
import os
import resource
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.weightfiles.made_onnx import ONE, field, model, tensor, varint
from tests.weightfiles.test_costly_files import FILES

MAX_MEMORY = 64 << 20
MAX_SECONDS = 4
"""Twice what is promised: what a process is told to have used grows when many share a processor."""


@dataclass(frozen=True)
class Cost:
    answer: dict[str, object]
    seconds: float
    memory: int

    @property
    def code(self) -> object:
        error = self.answer.get("error")
        return error["code"] if isinstance(error, dict) else self.answer["kind"]


CHECK = """
import re, resource, sys
from app.weightfiles import checking
checking.main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
with open("/proc/self/status") as status:  # ru_maxrss counts what the parent had as well
    peak = int(re.search(r"VmHWM:\\s+([0-9]+) kB", status.read())[1]) << 10
print(used.ru_utime + used.ru_stime, peak)
"""


def check(path: Path) -> Cost:
    """Runs the check as an upload does, which then tells what it has used."""
    done = subprocess.run([sys.executable, "-c", CHECK, str(path)], capture_output=True, text=True, check=True)
    answer, used = done.stdout.splitlines()
    seconds, memory = used.split()
    return Cost(json.loads(answer), float(seconds), int(memory))


def safetensors(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


EMPTY = b'{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
SMALL = safetensors(b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4))


def many_empty(count: int, name: str = "t") -> bytes:
    return safetensors(b"{" + b",".join(b'"%s%d":%s' % (name.encode(), index, EMPTY) for index in range(count)) + b"}")


def index_of(names: int, shard: str = "a.safetensors") -> bytes:
    return json.dumps({"weight_map": {f"t{index}": shard for index in range(names)}}).encode()


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


Make = Callable[[Path], object]


def holds(content: Callable[[], bytes]) -> Make:
    return lambda path: path.write_bytes(content())


CASES: dict[str, tuple[Make, str]] = {
    "safetensors of 100 000 tensors": (holds(lambda: many_empty(100_000)), "safetensors"),
    "safetensors with 30 MB of metadata": (
        holds(lambda: safetensors(b'{"__metadata__":{"k":"' + b"x" * (30 << 20) + b'"}}')), "safetensors",
    ),
    "safetensors with 250 000 words of metadata": (
        holds(lambda: safetensors(json.dumps({"__metadata__": {f"{i}": "" for i in range(250_000)}}).encode())),
        "safetensors",
    ),
    "onnx of 100 000 tensors": (
        holds(lambda: model(*(tensor(b"%d" % index, (0,)) for index in range(100_000)))), "onnx",
    ),
    "onnx of 2 000 000 fields": (holds(lambda: model(graph=b"\x68\0" * 2_000_000)), "onnx.too-many-fields"),
    "onnx of 300 000 nodes": (
        holds(lambda: model(tensor(b"a", (1,), 1, ONE), graph=field(1, field(5, b"")) * 300_000)), "onnx",
    ),
    "onnx with graphs in each of 100 000 nodes": (
        holds(lambda: model(tensor(b"a", (1,), 1, ONE), graph=field(1, field(5, field(6, b""))) * 100_000)), "onnx",
    ),
    "onnx of 500 000 long numbers": (
        holds(lambda: model(tensor(b"a", (500_000,), 7, field(7, varint(-1) * 500_000)))), "onnx",
    ),
    "onnx of 16 MB of short numbers": (
        holds(lambda: model(tensor(b"a", (2_000_000,), 7, field(7, b"\1" * 2_000_000)))), "onnx",
    ),
    "onnx of 500 000 numbers of six bits": (
        holds(lambda: model(tensor(b"a", (500_000,), 27, field(5, b"\1" * 500_000)))), "onnx",
    ),
    "onnx with 3 000 texts": (
        holds(
            lambda: model(tensor(b"a", (1,), 1, ONE))
            + b"".join(field(14, field(1, b"%d" % index) + field(2, b"x" * 5000)) for index in range(3000))
        ),
        "onnx",
    ),
    "an index of 100 001 tensors": (holds(lambda: index_of(100_001)), "index.too-many-tensors"),
    "an index of 16 MB": (holds(lambda: index_of(400_000)), "header.too-many-values"),
    "a zip with 100 000 tensors and their index": (
        lambda path: zipped(
            path, {"model.safetensors.index.json": index_of(100_000), "a.safetensors": many_empty(100_000)}
        ),
        "safetensors",
    ),
    "a zip with 100 000 tensors and their index, compressed": (
        lambda path: zipped(
            path,
            {"model.safetensors.index.json": index_of(100_000), "a.safetensors": many_empty(100_000)},
            zipfile.ZIP_DEFLATED,
        ),
        "safetensors",
    ),
    "a zip of 9 999 files": (
        lambda path: zipped(path, {f"{index}.txt": b"no weights" for index in range(9_999)}), "folder.no-weights",
    ),
    "a zip of 512 files of 1 000 tensors": (
        lambda path: zipped(path, {f"{index}.safetensors": many_empty(1000, f"{index}.") for index in range(512)}),
        "folder.too-many-tensors",
    ),
    "a zip of 513 files": (
        lambda path: zipped(path, {f"{index}.safetensors": SMALL for index in range(513)}), "folder.too-many-parts",
    ),
    "a zip of 512 compressed files": (
        lambda path: zipped(
            path, {f"{index}.safetensors": many_empty(50, f"{index}.") for index in range(512)}, zipfile.ZIP_DEFLATED
        ),
        "safetensors",
    ),
    "a zip of zeros": (
        lambda path: zipped(path, {"model.safetensors": bytes(100 << 20)}, zipfile.ZIP_DEFLATED), "zip.ratio",
    ),
    "a zip of 60 MB of noise, compressed": (
        lambda path: zipped(
            path,
            {
                "model.safetensors": safetensors(
                    b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (60 << 20, 60 << 20),
                    os.urandom(1 << 20) * 60,
                )
            },
            zipfile.ZIP_DEFLATED,
        ),
        "safetensors",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Bytes that the process takes for a file of one tensor."""
    path = tmp_path_factory.mktemp("small") / "upload"
    path.write_bytes(SMALL)
    cost = check(path)
    assert cost.answer["ok"] is True
    return cost.memory


@pytest.mark.parametrize("case", CASES)
def test_the_worst_of_each_kind_is_answered_within_bounds(tmp_path: Path, case: str, baseline: int) -> None:
    make, code = CASES[case]
    path = tmp_path / "upload"
    make(path)
    cost = check(path)
    assert cost.code == code
    assert cost.seconds < MAX_SECONDS
    assert cost.memory - baseline < MAX_MEMORY


@pytest.mark.parametrize("case", ["one tensor often", "remembered far apart", "deflated arrays"])
def test_costly_files_of_single_kinds_in_the_process(tmp_path: Path, case: str, baseline: int) -> None:
    path = tmp_path / "upload"
    path.write_bytes(FILES[case]())
    cost = check(path)
    assert cost.code != "file.check-too-costly"
    assert cost.seconds < MAX_SECONDS
    assert cost.memory - baseline < MAX_MEMORY


def test_the_process_has_limits_of_its_own() -> None:
    script = "import resource; from app.weightfiles import checking; checking._limit_self();" + "".join(
        f"print(resource.getrlimit(resource.{name})[0]);" for name in ("RLIMIT_CPU", "RLIMIT_AS", "RLIMIT_CORE")
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, memory, core = map(int, done.stdout.split())
    assert 2 <= seconds <= 4
    assert memory <= 1 << 30
    assert core == 0
    assert resource.getrlimit(resource.RLIMIT_CPU)[0] != seconds
