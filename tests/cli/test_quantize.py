"""`bitlens quantize` and `bitlens leaderboard` as their users see them."""

import io
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from app.cli import leaderboard as leaderboard_command
from app.cli import main
from app.tasks.quantize_request import COURSE_MATRIX, SchemeChoice


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    save_file({"w": torch.arange(64, dtype=torch.float32).view(8, 8) / 7, "b": torch.ones(3)}, path)
    return path


def test_values_from_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "quantize", "0.5 -1.25; 3 1/3", "--scheme", "int8:tensor", "--scale", "absmax")
    assert (code, err) == (0, "")
    for text in ("2 x 2, 16 bytes", "SQNR", "codes of int8", "0x7f"):
        assert text in out


def test_negative_numbers_keep_their_place(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "quantize", "0.5", "-1e-3", "3", "-(1/4)", "--json", "--scheme", "int8")
    assert json.loads(out)["values"] == [[0.5, pytest.approx(-1e-3, rel=1e-7), 3.0, -0.25]]


def test_values_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(COURSE_MATRIX))
    code, out, _ = run(capsys, "quantize", "--json", "--granularity", "tensor")
    document = json.loads(out)
    assert code == 0
    assert len(document["values"]) == 3
    (scheme,) = document["schemes"]
    assert (scheme["scheme"], scheme["granularity"], scheme["storage"]["scales"]) == ("int8", "tensor", 32)


def test_a_part_of_a_tensor(capsys: pytest.CaptureFixture[str], weights: Path) -> None:
    code, out, _ = run(capsys, "quantize", "--tensor", f"{weights}:w[2:4,1:4]", "--json", "--scheme", "bfloat16")
    values = torch.tensor(json.loads(out)["values"])
    assert code == 0
    assert torch.equal(values, (torch.arange(64, dtype=torch.float32).view(8, 8) / 7)[2:4, 1:4])


def test_several_schemes_and_one_that_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("quantize", "1 2 3", "--scheme", "int4", "--scheme", "int8:asymmetric", "--scheme", "q4_0")
    code, out, err = run(capsys, *words)
    assert code == 1
    assert "int8:asymmetric" in out
    assert err.startswith("bitlens: q4_0: ")
    assert err.count("\n") == 1
    code, out, _ = run(capsys, *words, "--json")
    schemes = json.loads(out)["schemes"]
    assert code == 1
    assert [each.get("error", {}).get("code") for each in schemes][-1] == "scheme.row-length"
    assert schemes[1]["zero_points"] is not None


def test_a_schemes_own_words_come_before_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("quantize", "1 2 3; 4 5 6", "--granularity", "channel", "--scale", "absmax", "--json")
    _, out, _ = run(capsys, *words, "--scheme", "int4:tensor", "--scheme", "int4", "--scheme", "int4:mse")
    found = json.loads(out)["schemes"]
    assert [(each["granularity"], each["scale"]) for each in found] == [
        ("tensor", "absmax"),
        ("channel", "absmax"),
        ("channel", "mse"),
    ]


def test_importance(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "importance.json"
    path.write_text("[1000, 0, 0.0]")
    code, out, _ = run(capsys, "quantize", "0.9 5 -7.3", "--scheme", "int4", "--importance", str(path), "--json")
    first = json.loads(out)["schemes"][0]["dequantized"][0][0]
    assert code == 0
    assert first == pytest.approx(0.9, abs=1e-3)
    for text in ("{}", "[", "[true]", '["1"]'):
        path.write_text(text)
        code, _, err = run(capsys, "quantize", "1 2 3", "--importance", str(path))
        assert (code, "list of numbers" in err) == (1, True)
    path.write_text("[1e999, 1, 1]")
    assert run(capsys, "quantize", "1 2 3", "--importance", str(path))[0] == 1
    assert run(capsys, "quantize", "1 2 3", "--importance", str(tmp_path / "missing"))[0] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("one",),
        ("1 2", "--distribution", "normal"),
        ("--distribution", "cauchy"),
        ("--distribution", "normal", "--rows", "-1"),
        ("--rows", "3"),
        ("1 2", "--scheme", "int4:group=x"),
        ("1 2", "--scheme", "int4:nosuch"),
        ("1 2", "--scheme", "int4", "--scale", "best"),
        ("1 2", "--percentile", "200"),
        ("1 2", *("--scheme", "int8") * 5),
        ("--tensor", "/missing.safetensors:w"),
    ],
)
def test_one_plain_sentence_for_what_is_wrong(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    code, _, err = run(capsys, "quantize", *words)
    assert code == 1
    assert err.startswith("bitlens: ")
    assert err.rstrip().endswith(".")
    assert err.count("\n") == 1


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two schemes, without kernels: their compilation is tested elsewhere."""
    contenders = (SchemeChoice("int8"), SchemeChoice("nf4"), SchemeChoice("q4_k"))
    monkeypatch.setattr("app.tasks.leaderboard.all_contenders", lambda: contenders)
    monkeypatch.setattr(
        leaderboard_command, "quantize_fast", lambda scheme, values, choices: scheme.quantize(values, choices)
    )


@pytest.mark.usefixtures("few")
def test_leaderboard(capsys: pytest.CaptureFixture[str], weights: Path) -> None:
    code, out, err = run(capsys, "leaderboard", str(weights))
    assert (code, err) == (0, "")
    assert "8 x 8 numbers of w" in out
    assert "q4_k" in out.split("These do not take it:")[1]
    code, out, _ = run(capsys, "leaderboard", f"{weights}:w[0:2]", "--json", "--by", "sqnr")
    document = json.loads(out)
    assert document["shape"] == [2, 8]
    assert [each["rank_by_gap"] for each in document["schemes"]] == [1, 2]
    assert document["refused"][0]["error"]["code"] == "scheme.row-length"


@pytest.mark.usefixtures("few")
def test_leaderboard_of_drawn_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "leaderboard", "--distribution", "laplace", "--rows", "2", "--columns", "256")
    assert code == 0
    assert "2 x 256 numbers\n" in out
    for words in ((), ("x", "--distribution", "normal"), ("--distribution", "none"), ("x", "--values", "0")):
        assert run(capsys, "leaderboard", *words)[0] == 1
