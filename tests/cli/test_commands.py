"""The command line as its users see it: output, exit codes, one sentence on stderr."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    generator = torch.Generator().manual_seed(7)
    path = tmp_path / "model.safetensors"
    tensors = {
        "encoder.query.weight": torch.randn(64, 96, generator=generator),
        "encoder.query.bias": torch.randn(64, generator=generator),
        "embeddings.word_embeddings.weight": torch.randn(100, 96, generator=generator),
    }
    save_file(tensors, path)
    return path


def test_inspect_prints_bits_value_and_error(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "inspect", "0.1", "-f", "bfloat16")
    assert code == 0
    for text in ("01111011", "1001101", "0.10009765625", "205/2048", "0x1.9ap-4", "0x3dcd", "0.00009765625"):
        assert text in out


def test_inspect_json_has_the_documented_fields(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "inspect", "0.1", "-f", "bf16", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["format"] == "bfloat16"
    assert (document["hex"], document["bits"]) == ("0x3dcd", "0011110111001101")
    assert [field["name"] for field in document["fields"]] == ["sign", "exponent", "mantissa"]
    assert (document["class"], document["value"], document["fraction"]) == ("normal", "0.10009765625", "205/2048")
    assert (document["hexfloat"], document["error"]["absolute"]) == ("0x1.9ap-4", "0.00009765625")
    assert all(step["text"] for step in document["steps"])


@pytest.mark.parametrize("value", ["-1e-5", "-0.5", "-inf", "-nan", "-.5", "-0x1p-3", "-(1+2)", "-snan(1)", "-1/3"])
def test_negative_numbers_are_no_options(capsys: pytest.CaptureFixture[str], value: str) -> None:
    code, out, _ = run(capsys, "inspect", value, "-f", "float32", "--json")
    assert code == 0
    assert json.loads(out)["bits"].startswith("1")


@pytest.mark.parametrize(
    "value",
    ["0x1p-99999", f"0x{'f' * 300}p9999", f"-0x1.{'f' * 300}p-9999", f"1.{'7' * 300}e{'9' * 30}", f"1e-{'9' * 4000}"],
)
def test_numbers_far_out_of_reach_are_shortened(capsys: pytest.CaptureFixture[str], value: str) -> None:
    for name in ("float32", "int8"):
        code, out, _ = run(capsys, "inspect", value, "-f", name)
        assert code == 0
        assert max(map(len, out.splitlines())) < 200


def test_inspect_by_code(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "inspect", "--bits", "0x3dcd", "-f", "bfloat16", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["value"] == "0.10009765625"
    assert document["error"] is None


@pytest.mark.parametrize(
    ("words", "quoted"),
    [
        (("inspect", "abc"), "a"),
        (("inspect", "1", "-f", "float33"), "float33"),
        (("analyse", "nowhere.safetensors"), "nowhere.safetensors"),
        (("analyse", "n" * 300), "nnn"),
    ],
)
def test_refusals_are_one_sentence_and_exit_1(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], quoted: str
) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (1, "")
    assert len(err.strip().splitlines()) == 1
    assert quoted in err


@pytest.mark.parametrize("words", [(), ("unknown",), ("inspect",), ("compress", "a")])
def test_wrong_usage_exits_2(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_formats_lists_every_format_and_describes_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "formats")
    assert code == 0
    assert "float8_e4m3fnuz" in out
    code, out, _ = run(capsys, "formats", "e4m3", "--json")
    assert code == 0
    assert json.loads(out)["max"] == "448"


def test_analyse_goes_on_after_a_refused_file(
    capsys: pytest.CaptureFixture[str], weights: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\xff" * 20)
    code, out, _ = run(capsys, "analyse", "--jsonl", str(broken), str(weights))
    refused, read = (json.loads(line) for line in out.splitlines())
    assert code == 1
    assert refused["file"] == str(broken)
    assert set(refused["error"]) == {"code", "message"}
    assert [tensor["name"] for tensor in read["tensors"]]
    assert read["file"] == str(weights)


@pytest.mark.parametrize("scheme", ["float16", "bfloat16", "float8_e4m3fn", "float8_e5m2", "int8"])
def test_compress_then_compare_tells_the_same_error(
    capsys: pytest.CaptureFixture[str], weights: Path, tmp_path: Path, scheme: str
) -> None:
    target, report_path = tmp_path / "small.safetensors", tmp_path / "report.json"
    words = ("compress", str(weights), str(target), "--scheme", scheme, "--report", str(report_path))
    code, out, err = run(capsys, *words)
    assert (code, err) == (0, "")
    assert "encoder.query.weight" in out
    report = json.loads(report_path.read_text(encoding="utf-8"))
    assert target.stat().st_size == report["bytes_after"]
    kept = {row["name"]: row["reason"] for row in report["tensors"] if row["kept"]}
    assert set(kept) == {"encoder.query.bias", "embeddings.word_embeddings.weight"}
    code, out, _ = run(capsys, "compare", str(weights), str(target), "--json")
    assert code == 0
    read_back = {row["name"]: row for row in json.loads(out)["tensors"]}
    for row in report["tensors"]:
        for figure in ("sqnr_db", "mse", "max_abs_error"):
            told = read_back[row["name"]][figure]
            if row["kept"]:
                assert told == row[figure]
            else:
                assert told == pytest.approx(row[figure], rel=1e-9), (row["name"], figure)
    loaded = load_file(target)
    assert torch.equal(loaded["encoder.query.bias"], load_file(weights)["encoder.query.bias"])


def test_existing_output_needs_force_and_the_input_is_never_overwritten(
    capsys: pytest.CaptureFixture[str], weights: Path, tmp_path: Path
) -> None:
    target = tmp_path / "small.safetensors"
    target.write_bytes(b"mine")
    code, _, err = run(capsys, "compress", str(weights), str(target), "--scheme", "float16")
    assert code == 1
    assert "--force" in err
    assert target.read_bytes() == b"mine"
    before = weights.read_bytes()
    code, _, _ = run(capsys, "compress", str(weights), str(weights), "--scheme", "float16", "--force")
    assert code == 1
    assert weights.read_bytes() == before
    code, _, _ = run(capsys, "compress", str(weights), str(target), "--scheme", "float16", "--force")
    assert code == 0


def test_what_is_no_file_is_never_replaced(capsys: pytest.CaptureFixture[str], weights: Path, tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe.safetensors", tmp_path / "link.json"
    os.mkfifo(pipe)
    link.symlink_to(os.devnull)
    out = str(tmp_path / "out.safetensors")
    for words in ([str(pipe), "--force"], [out, "--report", str(pipe)], [out, "--report", str(link)]):
        code, _, err = run(capsys, "compress", str(weights), *words, "--scheme", "float16")
        assert code == 1
        assert "cannot be written" in err
    assert pipe.is_fifo()
    assert link.is_symlink()


def test_characters_that_the_terminal_lacks_are_escaped(weights: Path) -> None:
    odd = os.fsencode(weights.parent) + b"/\xff.safetensors"
    Path(os.fsdecode(odd)).write_bytes(weights.read_bytes())
    for encoding in ("ascii:strict", "utf-8:strict"):
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        for words in (["inspect", "1e-9", "-f", "float16"], ["analyse", odd]):
            command = [sys.executable, "-m", "app", *words]
            ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            assert (ended.returncode, ended.stderr) == (0, "")
    assert "\\udcff.safetensors" in ended.stdout


@pytest.mark.parametrize("words", [["formats", "--json"], ["inspect", "0.1"], ["--help"]])
def test_output_that_nobody_takes(words: list[str]) -> None:
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "app", *words]
    gone = subprocess.run(command, env=buffered, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (gone.returncode, gone.stderr) == (0, "")
    full_disk = Path("/dev/full")
    if not full_disk.is_char_device():
        pytest.skip("this system has no /dev/full")
    with full_disk.open("wb") as output:
        full = subprocess.run(command, env=buffered, stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    assert full.returncode == 1
    assert full.stderr.startswith("bitlens: Reading or writing failed")
    assert full.stderr.count("\n") == 1


def test_unknown_scheme_is_refused_with_the_choices(capsys: pytest.CaptureFixture[str], weights: Path) -> None:
    code, _, err = run(capsys, "compress", str(weights), "out.safetensors", "--scheme", "int9")
    assert code == 1
    assert "int9" in err


def test_an_infinite_and_an_unknown_error_are_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source, target = tmp_path / "model.safetensors", tmp_path / "small.safetensors"
    tensors = {
        "overflows.weight": torch.tensor([[1e5, 1.0]]),
        "huge.weight": torch.tensor([[1e300, 1.0]], dtype=torch.float64),
    }
    save_file(tensors, source)
    words = (str(source), str(target))
    code, out, _ = run(capsys, "compress", *words, "--scheme", "float8_e4m3fn", "--exclude", "overflows*")
    figures = {line.split()[-1]: line.split()[:-1] for line in out.splitlines()}
    assert (code, figures["huge.weight"]) == (0, ["-", "-", "1e+300", "-"])
    code, out, _ = run(capsys, "compress", *words, "--scheme", "float16", "--force", "--exclude", "huge*")
    figures = {line.split()[-1]: line.split()[:-1] for line in out.splitlines()}
    assert (code, figures["overflows.weight"]) == (0, ["-inf", "inf", "inf", "-"])
    code, compared, _ = run(capsys, "compare", *words)
    assert (code, "-inf" in compared) == (0, True)


def test_a_plan_names_what_is_done_to_each_tensor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = tmp_path / "model.safetensors"
    save_file({"a.weight": torch.ones(8, 128), "b.weight": torch.ones(8, 100), "n.bias": torch.ones(8)}, source)
    words = ("compress", str(source), str(tmp_path / "out"), "--scheme", "int4:absmax", "--set", "a*=int8:channel")
    code, out, _ = run(capsys, *words, "--plan")
    assert code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
    lines = {line.split()[-1]: line for line in out.splitlines()}
    assert "int8:channel" in lines["a.weight"]
    assert "rows of 100 numbers do not divide into blocks of 128" in lines["b.weight"]
    assert "kept: bias" in lines["n.bias"]
    code, out, _ = run(capsys, *words, "--json")
    assert code == 0
    assert [tensor["scheme"] for tensor in json.loads(out)["tensors"] if not tensor["kept"]] == ["int8"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "model.safetensors",
        "config.json",
        "bitlens-manifest.json",
    }
