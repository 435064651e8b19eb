import errno
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.errors import Conflict, StorageFull, WeightFileError
from app.weightfiles.checking import check_file
from app.weightfiles.file_layout import StoredTensor
from app.weightfiles.part_file import PartFile, part_path, publish, sha256_of, write_durably
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.safetensors_layout import lay_out
from app.weightfiles.tensor_reader import TensorReader


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_file({"a": torch.arange(4096, dtype=torch.float32)}, path)
    return path


def test_a_file_cut_short_while_it_is_read_is_an_error_and_no_signal(model: Path) -> None:
    with WeightFile(model) as file:
        os.truncate(model, 1000)
        with pytest.raises(WeightFileError, match=r"file\.shrank"):
            TensorReader(file).bytes(file.header.tensors[0])
        with pytest.raises(WeightFileError, match=r"file\.changed"):
            file.ensure_unchanged()


def test_a_file_written_to_while_it_is_read_is_noticed(model: Path) -> None:
    with WeightFile(model) as file:
        file.ensure_unchanged()
        os.utime(model, ns=(1, 1))
        with pytest.raises(WeightFileError, match=r"file\.changed"):
            file.ensure_unchanged()


def test_a_layout_is_aligned_and_deterministic_and_the_package_loads_it(tmp_path: Path) -> None:
    tensors = [
        StoredTensor.of("bytes", "uint8", (3,)),
        StoredTensor.of("权重", "float16", (5,)),
        StoredTensor.of("wide", "float64", (2,)),
        StoredTensor.of("scalar", "float32", ()),
        StoredTensor.of("empty", "int64", (0, 4)),
    ]
    layout = lay_out(tensors, {"b": "2", "a": "1"})
    assert layout.head == lay_out(iter(tensors), {"a": "1", "b": "2"}).head
    assert len(layout.head) % 8 == 0
    assert all(layout.begins[t.name] % 8 == 0 for t in tensors if t.format == "float64")
    assert layout.begins["scalar"] % 4 == 0
    assert layout.begins["权重"] % 2 == 0
    path = tmp_path / "x.safetensors"
    path.write_bytes(layout.head + bytes(range(layout.file_bytes - len(layout.head))))
    assert check_file(path).tensors == 5
    assert {name: tuple(value.shape) for name, value in load_file(path).items()} == {t.name: t.shape for t in tensors}


def test_a_name_cannot_be_laid_out_twice() -> None:
    with pytest.raises(WeightFileError, match=r"safetensors\.written-twice"):
        lay_out([StoredTensor.of("a", "int8", (1,))] * 2, {})


def test_a_part_is_published_whole(tmp_path: Path) -> None:
    output = tmp_path / "out.bin"
    with PartFile(output, create=True) as part:
        part.reserve(8)
        part.write(b"5678", 4)
        part.write(memoryview(b"1234"), 0)
        assert part.starts_with(b"12345678")
        part.sync()
    assert not output.exists()
    publish(output)
    assert output.read_bytes() == b"12345678"
    assert not part_path(output).exists()
    assert sha256_of(output) == "ef797c8118f02dfb649607dd5d3f8c7623048c9c063d532cc95c5ed7a898a64f"


def test_two_writers_of_one_part_do_not_meet(tmp_path: Path) -> None:
    with PartFile(tmp_path / "out", create=True), pytest.raises(Conflict, match=r"output\.busy"):
        PartFile(tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "create", "code"),
    [("out", False, "part-missing"), ("no/out", True, "no-folder"), ("n" * 300, True, "not-writable")],
)
def test_a_part_that_cannot_be_opened_says_why(tmp_path: Path, name: str, create: bool, code: str) -> None:
    with pytest.raises(Conflict, match=rf"output\.{code}"):
        PartFile(tmp_path / name, create=create)


def test_a_part_is_never_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    part_path(tmp_path / "out").symlink_to(victim)
    with pytest.raises(Conflict, match=r"output\.not-writable"):
        PartFile(tmp_path / "out", create=True)
    assert victim.read_bytes() == b"precious"


def write_all(part: PartFile) -> None:
    part.reserve(8192)
    part.write(b"x", 0)
    part.sync()


@pytest.mark.parametrize("call", ["ftruncate", "posix_fallocate", "pwrite", "fsync"])
def test_a_full_disk_is_storage_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with PartFile(tmp_path / "out", create=True) as part:
        monkeypatch.setattr(os, call, full)
        with pytest.raises(StorageFull, match=r"storage\.full"):
            write_all(part)


def test_a_small_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("a long old text")
    write_durably(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o600 == 0o600


def check_in_a_process(path: Path) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "app.weightfiles.checking", str(path)],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.stdout, done.returncode


def test_the_check_runs_as_a_program(model: Path, tmp_path: Path) -> None:
    line, code = check_in_a_process(model)
    assert code == 0
    assert json.loads(line) == {
        "ok": True,
        "kind": "safetensors",
        "tensors": 1,
        "bytes": model.stat().st_size,
        "entries": [["a", "float32", [4096], 16384]],
        "metadata": {},
    }
    empty = tmp_path / "empty"
    empty.touch()
    refused = '{"ok": false, "error": {"class": "WeightFileError", "code": "file.empty", "figures": {}}}\n'
    assert check_in_a_process(empty) == (refused, 0)


def test_the_check_program_needs_the_standard_library_only() -> None:
    code = "import sys, app.weightfiles.checking;print(sorted({'torch', 'numpy', 'ml_dtypes'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=30)
    assert done.stdout == "[]\n"


def test_reading_is_safe_from_two_threads_with_a_reader_each(model: Path) -> None:
    sums = []

    def read() -> None:
        with WeightFile(model) as file:
            reader = TensorReader(file, chunk_bytes=256)
            sums.append(sum(float(chunk.sum()) for _, chunk in reader.chunks(file.header.tensors[0])))

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [4095 * 4096 / 2] * 2
