"""`bitlens analyse`: any number of files, folders and addresses; a refused one is told and the next one is read."""

import json
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest
import torch
from safetensors.torch import save, save_file

from app.cli import main

W = torch.arange(6.0).reshape(2, 3)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A good file, a broken one, a folder, a missing one."""
    save_file({"w": W}, tmp_path / "good.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"PK\3\4 cut")
    folder = tmp_path / "folder"
    folder.mkdir()
    save_file({"a": W}, folder / "one.safetensors")
    save_file({"b": W}, folder / "two.safetensors")
    return [str(tmp_path / name) for name in ("good.safetensors", "broken.safetensors", "folder", "missing")]


@pytest.mark.parametrize("header", [False, True])
def test_one_object_a_line_and_on_after_a_refused_one(
    files: list[str], header: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyse", "--jsonl", *(["--header"] if header else []), *files]) == 1
    good, broken, folder, missing = map(json.loads, capsys.readouterr().out.splitlines())
    assert [each["file"] for each in (good, broken, folder, missing)] == files
    assert good["kind"] == "safetensors"
    assert good["totals"]["by_dtype"] == {"float32": {"tensors": 1, "bytes": 24}}
    (row,) = good["tensors"]
    assert (row["name"], row["dtype"], row["shape"], row["bytes"], row["elements"]) == ("w", "float32", [2, 3], 24, 6)
    assert row.get("max") == (None if header else 5)
    assert broken.keys() == {"file", "error"}
    assert broken["error"]["code"].startswith("zip.")
    assert broken["error"]["message"].endswith(".")
    assert [tensor["name"] for tensor in folder["tensors"]] == ["a", "b"]
    assert missing["error"]["code"] == "file.unreadable"
    assert main(["analyse", "--jsonl", "--header", files[0], files[2]]) == 0


def test_the_table_has_a_line_for_each_tensor(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyse", "--header", *files]) == 1
    told = capsys.readouterr()
    assert [line.split()[-1] for line in told.out.splitlines() if line.startswith("float32")] == ["w", "a", "b"]
    assert len(told.err.splitlines()) == 2
    assert main(["analyse", files[0]]) == 0
    assert "nan+inf" in capsys.readouterr().out


def test_what_a_loader_would_not_read_is_named(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(files[2])
    save_file({"c": W}, folder / "model.safetensors")
    assert main(["analyse", "--jsonl", "--header", str(folder)]) == 0
    assert json.loads(capsys.readouterr().out)["left_out"] == ["one.safetensors", "two.safetensors"]
    assert main(["analyse", str(folder)]) == 0
    assert "not read: one.safetensors, two.safetensors" in capsys.readouterr().out


def test_an_address_is_read_by_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    system = fsspec.filesystem("memory")
    system.pipe_file("/models/x.safetensors", save({"w": W}))
    assert main(["analyse", "--jsonl", "memory://models/x.safetensors"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["file"], document["tensors"][0]["max"]) == ("memory://models/x.safetensors", 5)
    system.store.clear()
    assert main(["analyse", "--jsonl", "memory://models/x.safetensors", "gopher://x"]) == 1
    lines = [json.loads(line)["error"]["code"] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["remote.not-found", "remote.scheme"]


def test_a_header_of_ten_gigabytes_is_read_without_torch(tmp_path: Path) -> None:
    each = 10 << 20
    header = {
        f"model.layers.{index}.weight": {
            "dtype": "BF16",
            "shape": [each // 2],
            "data_offsets": [index * each, (index + 1) * each],
        }
        for index in range(1000)
    }
    text = json.dumps(header).encode()
    path = tmp_path / "large.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    with path.open("r+b") as file:
        file.truncate(8 + len(text) + 1000 * each)
    script = (
        "import sys, time; from app.cli import main; import app.cli.analyse; started = time.process_time();"
        "code = main(['analyse', '--header', '--jsonl', sys.argv[1]]);"
        "print(code, time.process_time() - started, 'torch' in sys.modules, 'numpy' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    code, seconds, *loaded = done.stderr.split()
    assert (code, loaded) == ("0", ["False", "False"])
    assert float(seconds) < 0.3
    assert json.loads(done.stdout)["totals"]["tensors"] == 1000


def test_a_reader_that_has_enough_is_no_failure(files: list[str]) -> None:
    command = [sys.executable, "-m", "app", "analyse", "--jsonl", "--header", *(files[:1] * 5000)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        json.loads(process.stdout.readline())
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0
