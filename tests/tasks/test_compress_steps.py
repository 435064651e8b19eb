"""A job that is killed anywhere and goes on gives the same bytes; tensors of any size take the same path in pieces."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.errors import Conflict, StorageFull, WeightFileError
from app.layouts import numbers
from app.layouts.weights import WeightReader
from app.tasks import compress_steps, file_plan
from app.tasks.child_steps import HANDLERS
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from app.tasks.progress import no_progress
from app.weightfiles.part_file import part_path, sha256_of
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.tensor_reader import TensorReader

OPTIONS = CompressOptions(scheme="int8")


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_plan, "STEP_BYTES", 4000)


def arguments(source: Path, output: Path, **more: object) -> dict[str, object]:
    return json.loads(json.dumps({"source": str(source), "output": str(output), "options": OPTIONS.to_json(), **more}))


def run(name: str, *given: object, **more: object):
    result = HANDLERS[name](arguments(*given, **more), no_progress)
    return json.loads(json.dumps(result, allow_nan=False))


def test_the_steps_of_a_job_give_what_the_command_line_gives(model: Path, tmp_path: Path, small_steps: None) -> None:
    direct = compress_file(model, tmp_path / "direct.safetensors", OPTIONS)
    out = tmp_path / "job"
    plan = run("plan", model, out)
    assert plan["steps"] > 3
    assert part_path(out).stat().st_size == plan["output_bytes"] == direct["bytes_after"]
    assert plan["bytes"] == run("analyse", model, out)["totals"]["bytes"]
    rows = [row for step in range(plan["steps"]) for row in run("compress", model, out, step=step)["tensors"]]
    # A job's result is one file: only the command line has a config.json beside it.
    assert run("finish", model, out, rows=rows) == {name: direct[name] for name in direct if name != "config"}
    assert not part_path(out).exists()


def test_every_step_may_be_repeated_also_after_half_of_it(model: Path, tmp_path: Path, small_steps: None) -> None:
    expected = compress_file(model, tmp_path / "direct.safetensors", OPTIONS)["sha256"]
    out = tmp_path / "job"

    class KilledError(Exception):
        pass

    def kill(_done: int, _tensor: str) -> None:
        raise KilledError

    run("plan", model, out)
    plan = run("plan", model, out)
    rows, killed = [], 0
    for step in range(plan["steps"]):
        try:
            HANDLERS["compress"](arguments(model, out, step=step), kill)
        except KilledError:
            killed += 1
        first = run("compress", model, out, step=step)["tensors"]
        assert run("compress", model, out, step=step)["tensors"] == first
        rows += first
    assert killed >= plan["steps"] - 1, "only a step of empty tensors has nothing to tell"
    report = run("finish", model, out, rows=rows)
    assert report["sha256"] == expected == sha256_of(out)
    assert run("finish", model, out, rows=rows) == report


def test_steps_count_their_progress_from_the_jobs_start(model: Path, tmp_path: Path, small_steps: None) -> None:
    out = tmp_path / "job"
    plan = run("plan", model, out)
    seen: list[int] = []
    for step in reversed(range(plan["steps"])):
        mine: list[int] = []
        HANDLERS["compress"](arguments(model, out, step=step), lambda done, _name, mine=mine: mine.append(done))
        seen = mine + seen
    assert seen == sorted(seen)
    assert seen[-1] == plan["bytes"]


def test_a_process_plans_its_job_once(
    model: Path, tmp_path: Path, small_steps: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned: list[object] = []
    original = compress_steps.plan_file
    monkeypatch.setattr(
        compress_steps, "plan_file", lambda *given, **more: planned.append(given) or original(*given, **more)
    )
    out = tmp_path / "job"
    plan = run("plan", model, out)
    for step in range(plan["steps"]):
        run("compress", model, out, step=step)
    assert len(planned) == 1


def test_a_source_that_changes_between_two_steps_is_refused(model: Path, tmp_path: Path, small_steps: None) -> None:
    out = tmp_path / "job"
    run("plan", model, out)
    run("compress", model, out, step=0)
    with model.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    with pytest.raises(WeightFileError, match=r"file\.changed"):
        run("compress", model, out, step=1)


KILLED = """
import os, signal, sys
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
def progress(done, name):
    if done > int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
compress_file(sys.argv[1], sys.argv[2], CompressOptions(scheme="int8"), progress=progress)
"""


def test_a_killed_command_leaves_no_result_and_its_repetition_the_same_one(model: Path, tmp_path: Path) -> None:
    expected = compress_file(model, tmp_path / "direct.safetensors", OPTIONS)["sha256"]
    for target in (tmp_path / "killed.safetensors", tmp_path / "folder"):
        done = subprocess.run([sys.executable, "-c", KILLED, model, target, "9000"], check=False, timeout=60)
        assert done.returncode == -signal.SIGKILL
        assert not target.exists()
        assert part_path(target).exists()
        assert compress_file(model, target, OPTIONS)["sha256"] == expected
        assert not part_path(target).exists()


def test_a_part_of_another_plan_is_refused(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "job"
    run("plan", model, out)
    other = arguments(model, out, step=0, rows=[])
    other["options"]["granularity"] = "tensor"
    with pytest.raises(Conflict, match=r"output\.part-differs"):
        HANDLERS["compress"](other, no_progress)
    with pytest.raises(Conflict, match=r"output\.part-differs"):
        HANDLERS["finish"](other, no_progress)
    part_path(out).unlink()
    with pytest.raises(Conflict, match=r"output\.part-missing"):
        run("compress", model, out, step=0)
    with pytest.raises(Conflict, match=r"output\.part-missing"):
        run("finish", model, out, rows=[])


def test_a_full_disk_leaves_nothing_behind(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    for target in (tmp_path / "out.safetensors", tmp_path / "folder"):
        with pytest.raises(StorageFull, match=r"storage\.full"):
            compress_file(model, target, OPTIONS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("scheme", ["int8:channel:absmax", "int8:tensor:absmax", "int4:group=32:absmax", "fp8:absmax"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_tensors_larger_than_a_band_are_as_if_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, dtype: torch.dtype
) -> None:
    generator = torch.Generator().manual_seed(4)
    tensors = {
        "tall.weight": torch.randn(1000, 32, generator=generator).to(dtype),
        "wide.weight": torch.randn(3, 9_024, generator=generator).to(dtype),
    }
    source = tmp_path / "x.safetensors"
    save_file(tensors, source)
    options = CompressOptions(scheme=scheme)
    whole = compress_file(source, tmp_path / "whole.safetensors", options)
    monkeypatch.setattr(numbers, "BAND_ELEMENTS", 1024)
    monkeypatch.setattr(compress_steps, "WeightReader", small_reader)
    pieces = compress_file(source, tmp_path / "pieces.safetensors", options)
    assert pieces["sha256"] == whole["sha256"]
    stored = load_file(tmp_path / "pieces.safetensors")
    for name, values in tensors.items():
        own = "float32" if dtype is torch.float64 else str(dtype).removeprefix("torch.")
        chosen = options.chosen
        engine = chosen.scheme(scale_format=own)
        expected = engine.quantize(values.to(torch.float32), chosen.choices)
        codes = stored[name if scheme.startswith("fp8") else f"{name}_packed"].view(torch.uint8)
        assert torch.equal(codes, expected.codes.view(torch.uint8))
        assert torch.equal(stored[f"{name}_scale"].view(-1), expected.scales.view(-1))
        row = next(row for row in pieces["tensors"] if row["name"] == name)
        restored = engine.dequantize(expected).to(stored[f"{name}_scale"].dtype).double()
        assert row["max_abs_error"] == float((restored - values.float().double()).abs().max())


def small_reader(file: WeightFile) -> WeightReader:
    reader = WeightReader(file)
    reader.tensors = TensorReader(file, chunk_bytes=4104)
    return reader
