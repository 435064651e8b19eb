import json
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from app.errors import Conflict, InvalidInput, WeightFileError
from app.tasks.analyse_file import analyse_file
from app.tasks.compare_files import compare_files
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import CompressOptions
from app.weightfiles.checking import check_file

CASTS = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
FOREIGN = '{"model_type": "x", "quantization_config": {"quant_method": "compressed-tensors"}}'
DTYPES = (torch.float32, torch.float16)
FIGURES = ("sqnr_db", "mse", "max_abs_error", "cosine")
CASES = [*((scheme, None) for scheme in CASTS), ("int8", "channel"), ("int8", "tensor")]


@pytest.mark.parametrize(("scheme", "granularity"), CASES)
def test_what_is_written_is_what_is_reported(model: Path, tmp_path: Path, scheme: str, granularity: str | None) -> None:
    out = tmp_path / "out.safetensors"
    report = compress_file(model, out, CompressOptions(scheme=scheme, granularity=granularity))
    before, after = load_file(model), load_file(out)
    assert report["bytes_after"] == out.stat().st_size == check_file(out).bytes
    assert report["ratio"] == model.stat().st_size / out.stat().st_size
    assert {row["name"] for row in report["tensors"]} == before.keys()
    for row in report["tensors"]:
        original = before[row["name"]]
        if row["kept"]:
            assert after[row["name"]].dtype == original.dtype
            assert torch.equal(after[row["name"]].view(torch.uint8), original.view(torch.uint8))
            assert row["bytes_before"] == row["bytes_after"]
        elif scheme != "int8":
            assert after[row["name"]].dtype is getattr(torch, scheme)
        else:
            assert after[f"{row['name']}_shape"].tolist() == row["shape"]
            assert row["bytes_after"] == sum(
                after[f"{row['name']}_{part}"].nbytes for part in ("packed", "scale", "shape")
            )
    compared = compare_files(model, out)
    assert compared["missing"] == compared["unexpected"] == []
    for mine, read_back in zip(report["tensors"], compared["tensors"], strict=True):
        # How it is stored is told by the writer's own name for it, and by what a reader finds.
        by_name = [] if "," in mine["stored_as"] else ["stored_as"]
        shared = ["name", "kept", "bytes_after", "bits_per_weight", *by_name]
        assert [mine[key] for key in shared] == [read_back[key] for key in shared]
        for key in FIGURES:
            assert mine[key] == read_back[key] or mine[key] == pytest.approx(read_back[key], rel=1e-6)
    json.dumps(report, allow_nan=False)


def test_every_kept_tensor_has_its_reason(model: Path, tmp_path: Path) -> None:
    report = compress_file(model, tmp_path / "out.safetensors", CompressOptions(scheme="int8"))
    assert {row["name"]: row["reason"] for row in report["tensors"] if row["kept"]} == {
        "model.embed_tokens.weight": "embedding",
        "model.layers.0.conv.weight": "layout",
        "model.layers.0.norm.weight": "norm",
        "model.layers.0.q_proj.bias": "bias",
        "position_ids": "not-floating",
        "empty.weight": "empty",
        "lm_head.weight": "head",
    }
    notes = {row["name"]: row["note"] for row in report["tensors"] if row["note"]}
    assert notes == {"model.layers.0.loose": "note.unusual-name"}


def test_the_config_is_in_the_metadata_and_beside_the_file(model: Path, tmp_path: Path) -> None:
    model.with_name("config.json").write_text('{"model_type": "bert", "层": 1}')
    out = tmp_path / "folder"
    compress_file(model, out, CompressOptions(scheme="int8"))
    with safe_open(out / "model.safetensors", "pt") as file:
        metadata = file.metadata()
    config = json.loads((out / "config.json").read_text())
    assert metadata["format"] == "pt"
    assert json.loads(metadata["quantization_config"]) == config.pop("quantization_config")
    assert config == {"model_type": "bert", "层": 1}
    ignored = json.loads(metadata["quantization_config"])["ignore"]
    assert ignored == ["empty", "lm_head", "model.embed_tokens", "model.layers.0.conv"]


@pytest.mark.parametrize(
    "text", ["not json", "[1]", '{"name": "something else"}', '{"quantization_config": {"a": 1}}', FOREIGN]
)
def test_an_unrelated_config_is_never_damaged(model: Path, tmp_path: Path, text: str) -> None:
    out = tmp_path / "other" / "out.safetensors"
    out.parent.mkdir()
    config = out.with_name("config.json")
    config.write_text(text)
    options = CompressOptions(scheme="int8")
    with pytest.raises(Conflict, match=r"output\.config-differs"):
        compress_file(model, out, options)
    assert config.read_text() == text
    assert [entry.name for entry in out.parent.iterdir()] == ["config.json"]
    compress_file(model, out, CompressOptions(scheme="float16"))
    assert config.read_text() == text
    compress_file(model, out, options, force=True)
    assert json.loads(config.read_text())["quantization_config"]["format"] == "pack-quantized"


def test_a_models_own_config_is_merged(model: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text('{"architectures": ["X"], "hidden_size": 3}')
    options = CompressOptions(scheme="int8")
    for _ in range(2):
        compress_file(model, tmp_path / "out.safetensors", options, force=True)
        merged = json.loads(config.read_text())
        assert (merged["architectures"], merged["hidden_size"]) == (["X"], 3)


def test_the_originals_own_config_is_left_as_it_is(model: Path) -> None:
    """With a quantization config in it, the original beside it would no longer load."""
    config = model.with_name("config.json")
    config.write_text('{"architectures": ["X"], "hidden_size": 3}')
    out, options = model.with_name("small.safetensors"), CompressOptions(scheme="int8")
    assert compress_file(model, out, options)["config"] == "kept"
    assert json.loads(config.read_text()) == {"architectures": ["X"], "hidden_size": 3}
    with safe_open(out, "pt") as file:
        assert "quantization_config" in file.metadata()
    assert compress_file(model, out, options, force=True)["config"] == "written"
    assert "quantization_config" in json.loads(config.read_text())


def test_results_with_other_options_may_lie_in_one_folder(model: Path, tmp_path: Path) -> None:
    for granularity in ("channel", "tensor"):
        out = tmp_path / f"{granularity}.safetensors"
        compress_file(model, out, CompressOptions(scheme="int8", granularity=granularity))
        config = json.loads((tmp_path / "config.json").read_text())
        with safe_open(out, "pt") as file:
            assert json.loads(file.metadata()["quantization_config"]) == config["quantization_config"]


def test_names_that_are_taken_are_refused(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    options = CompressOptions(scheme="float16")
    before = model.read_bytes()
    link = tmp_path / "link.safetensors"
    link.symlink_to(model)
    for target in (model, link):
        with pytest.raises(InvalidInput, match=r"output\.is-source"):
            compress_file(model, target, options, force=True)
    with pytest.raises(InvalidInput, match=r"output\.is-report"):
        compress_file(model, out, options, report=model)
    full = tmp_path / "full"
    full.mkdir()
    (full / "something").touch()
    first = compress_file(model, out, options)
    with pytest.raises(Conflict, match=r"output\.exists"):
        compress_file(model, out, options)
    with pytest.raises(Conflict, match=r"output\.exists"):
        compress_file(model, full, options)
    with pytest.raises(Conflict, match=r"output\.no-folder"):
        compress_file(model, tmp_path / "no" / "out.safetensors", options)
    assert compress_file(model, out, options, force=True, report=tmp_path / "r.json") == first
    assert json.loads((tmp_path / "r.json").read_text()) == first
    assert model.read_bytes() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_file_in_which_nothing_would_change_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"norm.weight": torch.ones(3), "wte.weight": torch.ones(3, 3)}, path)
    with pytest.raises(WeightFileError, match=r"compress\.nothing"):
        compress_file(path, tmp_path / "out.safetensors", CompressOptions(scheme="int8"))
    compress_file(path, tmp_path / "out.safetensors", CompressOptions(scheme="int8", include=("wte*",)))
    save_file({"w.weight": torch.ones(9, 9)}, path, metadata={"quantization_config": '{"quant_method": "unheard of"}'})
    with pytest.raises(WeightFileError, match=r"compress\.already-quantized"):
        compress_file(path, tmp_path / "b.safetensors", CompressOptions(scheme="int8"))


@pytest.mark.parametrize("granularity", ["channel", "tensor"])
def test_matrices_that_packing_would_make_larger_are_kept(tmp_path: Path, granularity: str) -> None:
    path = tmp_path / "x.safetensors"
    tensors = {f"{dtype}.{columns}": torch.ones(40, columns, dtype=dtype) for dtype in DTYPES for columns in (1, 2, 3)}
    save_file(tensors, path)
    options = CompressOptions(scheme="int8", granularity=granularity, include=("*",))
    rows = compress_file(path, tmp_path / "out.safetensors", options)["tensors"]
    kept = {row["name"]: row["reason"] for row in rows if row["kept"]}
    assert kept == dict.fromkeys(["torch.float32.1", "torch.float16.1", "torch.float16.2"], "larger")
    shape_bytes = 16
    assert all(row["bytes_after"] <= row["bytes_before"] + shape_bytes for row in rows)


def test_a_name_that_the_layout_needs_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"w": torch.ones(9, 9), "w_shape": torch.ones(3, dtype=torch.int64)}, path)
    with pytest.raises(WeightFileError, match=r"safetensors\.written-twice"):
        compress_file(path, tmp_path / "out.safetensors", CompressOptions(scheme="int8"))


def test_nan_and_infinity_are_carried_counted_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    values = torch.tensor([[1.0, math.nan, math.inf, 0, 0, 0], [1e5, -500.0, -math.inf, 0, 0, 0]])
    save_file({"w.weight": values}, path)

    def compress(scheme: str, name: str = "w") -> tuple[torch.Tensor, dict]:
        out = tmp_path / f"{scheme}.safetensors"
        report = compress_file(path, out, CompressOptions(scheme=scheme))
        return load_file(out)[f"{name}.weight"].float(), report["tensors"][0]

    half, row = compress("float16")
    assert half[:, :3].flatten().tolist()[2:] == [math.inf, math.inf, -500.0, -math.inf]
    assert (row["overflowed"], row["saturated"], row["max_abs_error"], row["sqnr_db"]) == (1, 0, "inf", "-inf")
    brain, row = compress("bfloat16")
    assert torch.isnan(brain[0, 1])
    assert (row["overflowed"], row["max_abs_error"]) == (0, abs(1e5 - float(brain[1, 0])))
    with pytest.raises(WeightFileError) as caught:
        compress("float8_e4m3fn")
    assert (caught.value.code, dict(caught.value.figures)) == (
        "compress.infinity",
        {"tensor": "w.weight", "nans": 1, "infinities": 2, "scheme": "float8_e4m3fn"},
    )
    with pytest.raises(WeightFileError, match=r"compress\.not-finite tensor='w.weight' nans=1 infinities=2"):
        compress("int8")
    save_file({"w.weight": values.nan_to_num(0, 0, 0)}, path)
    _, row = compress("float8_e4m3fn")
    assert row["saturated"] == 2
    assert not list(tmp_path.glob("*.part"))


def test_float64_beyond_the_scales_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"w.weight": torch.tensor([[1e100] + [1.0] * 7], dtype=torch.float64)}, path)
    with pytest.raises(WeightFileError, match=r"compress\.range"):
        compress_file(path, tmp_path / "out.safetensors", CompressOptions(scheme="int8"))


def test_progress_counts_to_the_end(model: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, str]] = []
    compress_file(
        model, tmp_path / "o.safetensors", CompressOptions(scheme="int8"), progress=lambda *c: calls.append(c)
    )
    done = [count for count, _ in calls]
    assert done == sorted(done)
    assert done[-1] == analyse_file(model)["totals"]["bytes"]


def test_comparing_what_does_not_fit_says_so(model: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    save_file({"lm_head.weight": torch.zeros(2, 2), "new": torch.zeros(1)}, other)
    with pytest.raises(WeightFileError, match=r"compare\.shape"):
        compare_files(model, other)
    save_file({"new": torch.zeros(1)}, other)
    with pytest.raises(WeightFileError, match=r"compare\.nothing-common"):
        compare_files(model, other)
    save_file({"new": torch.zeros(1), "position_ids": torch.arange(7) + 1}, other)
    document = compare_files(model, other)
    assert document["tensors"][0]["max_abs_error"] == 1.0
    assert len(document["missing"]) == 12
    assert document["unexpected"] == ["new"]


def test_what_cannot_be_written_is_refused_before_the_work(model: Path, tmp_path: Path) -> None:
    options, out = CompressOptions(scheme="float16"), tmp_path / "out.safetensors"
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    calls: list[object] = []

    def refused(target: Path, report: Path | None = None) -> str:
        with pytest.raises(Conflict) as caught:
            compress_file(model, target, options, report=report, force=True, progress=lambda *c: calls.append(c))
        return caught.value.code

    assert refused(folder) == "output.not-writable"
    assert refused(tmp_path / ("n" * 300 + ".safetensors")) == "output.not-writable"
    assert refused(out, report=folder) == "output.not-writable"
    assert refused(out, report=tmp_path / "no" / "r.json") == "output.no-folder"
    assert not calls
    assert not out.exists()
    compress_file(model, tmp_path / "new", options, report=tmp_path / "new" / "r.json")
    assert (tmp_path / "new" / "r.json").exists()
