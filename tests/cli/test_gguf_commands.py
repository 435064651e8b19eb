"""GGUF from the command line: compressed, compared with the original by its names, and made plain again."""

import json
from pathlib import Path

import gguf
import pytest
import torch
from safetensors.torch import load_file

from tests.cli.test_commands import run
from tests.layouts.test_gguf_writing import LLAMA, folder_of, llama_tensors, random


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "model", llama_tensors(), LLAMA)


def test_a_folder_becomes_a_file_and_comes_back(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "out.gguf", tmp_path / "report.json"
    words = ("compress", str(model), str(out), "--scheme", "q8_0", "--set", "*down*=q4_0", "--report", str(report))
    code, _, err = run(capsys, *words)
    assert code == 0
    assert "llama.cpp runs the model on token numbers only" in err
    written = json.loads(report.read_text())
    assert written["remarks"] == ["remark.gguf-no-tokenizer"]
    types = {each.name: each.tensor_type.name for each in gguf.GGUFReader(out).tensors}
    assert (types["blk.0.ffn_down.weight"], types["blk.0.attn_q.weight"]) == ("Q4_0", "Q8_0")
    # Every figure again, from both files, by the original's names.
    code, printed, _ = run(capsys, "compare", str(model), str(out), "--json")
    compared = json.loads(printed)
    assert (code, compared["missing"], compared["unexpected"]) == (0, [], [])
    figures = {row["name"]: float(row["sqnr_db"]) for row in compared["tensors"]}
    assert figures == {row["name"]: pytest.approx(float(row["sqnr_db"]), rel=1e-6) for row in written["tensors"]}
    code, _, _ = run(capsys, "expand", str(out), str(tmp_path / "plain.safetensors"))
    assert code == 0
    plain, original = load_file(tmp_path / "plain.safetensors"), llama_tensors()
    assert plain.keys() == original.keys()
    assert all(torch.allclose(plain[name], value, atol=0.5) for name, value in original.items())
    assert torch.equal(plain["model.embed_tokens.weight"], original["model.embed_tokens.weight"])


def test_the_same_input_gives_the_same_bytes(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hashes = []
    for name in ("a", "b"):
        words = ("compress", str(model), str(tmp_path / f"{name}.gguf"), "--scheme", "q5_1", "--json")
        hashes.append(json.loads(run(capsys, *words)[1])["sha256"])
    assert hashes[0] == hashes[1]


def test_what_a_killed_run_left_does_not_show_between_tensors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = folder_of(tmp_path / "odd", {"a.weight": random(4, 32), "b": random(3), "c": random(5)})
    hashes = []
    for name, left in (("a", None), ("b", b"\xff" * (1 << 20)), ("c", b"\xff" * 10)):
        if left is not None:
            (tmp_path / f"{name}.gguf.part").write_bytes(left)
        words = ("compress", str(model), str(tmp_path / f"{name}.gguf"), "--scheme", "q8_0", "--json")
        hashes.append(json.loads(run(capsys, *words)[1])["sha256"])
    assert len(set(hashes)) == 1


def test_the_name_of_the_output_chooses_the_layout(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(capsys, "compress", str(model), str(tmp_path / "half.gguf"), "--scheme", "float16")[0] == 0
    code, _, err = run(capsys, "compress", str(model), str(tmp_path / "no.gguf"), "--scheme", "int4")
    assert (code, "no place for the scheme int4" in err) == (1, True)
    again = ("compress", str(tmp_path / "half.gguf"), str(tmp_path / "b.gguf"), "--scheme", "float16")
    assert run(capsys, *again)[0] == 1
    # Nothing is left to be rounded here either, but the container is another one.
    half = folder_of(tmp_path / "half", llama_tensors(torch.float16), LLAMA)
    assert run(capsys, "compress", str(half), str(tmp_path / "c.gguf"), "--scheme", "float16")[0] == 0


def test_what_would_be_done_says_why_tensors_are_kept(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("compress", str(model), str(tmp_path / "out.gguf"), "--scheme", "q8_0", "--set", "*down*=q4_k", "--plan")
    code, out, err = run(capsys, *words)
    assert code == 0
    assert "kept: rows of 96" in out or "96" in next(line for line in out.splitlines() if "down_proj" in line)
    assert "token numbers only" in err
    assert not (tmp_path / "out.gguf").exists()
