import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from app.tasks.analyse_file import analyse_file


def test_every_figure_of_an_analysis(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    normal = torch.randn(70, 33, generator=torch.Generator().manual_seed(1))
    odd = torch.tensor([math.nan, math.inf, -2.0, 0.0], dtype=torch.bfloat16)
    save_file({"normal": normal, "odd": odd, "ids": torch.arange(5), "none": torch.zeros(0, 3)}, path, {"k": "v"})
    calls: list[tuple[int, str]] = []
    document = json.loads(json.dumps(analyse_file(path, lambda *call: calls.append(call)), allow_nan=False))
    assert document["bytes"] == path.stat().st_size
    assert (document["kind"], document["metadata"]) == ("safetensors", {"k": "v"})
    assert document["totals"] == {
        "tensors": 4,
        "parameters": 70 * 33 + 4 + 5,
        "bytes": 70 * 33 * 4 + 8 + 40,
        "by_dtype": {
            "float32": {"tensors": 2, "bytes": 70 * 33 * 4},
            "bfloat16": {"tensors": 1, "bytes": 8},
            "int64": {"tensors": 1, "bytes": 40},
        },
        "by_role": {"other": {"tensors": 4, "bytes": 70 * 33 * 4 + 8 + 40}},
    }
    rows = {row["name"]: row for row in document["tensors"]}
    exact = normal.double().numpy()
    row = rows["normal"]
    assert (row["dtype"], row["shape"], row["bytes"], row["elements"]) == ("float32", [70, 33], 9240, 2310)
    assert (row["min"], row["max"]) == (exact.min(), exact.max())
    assert (row["mean"], row["std"]) == (pytest.approx(exact.mean()), pytest.approx(exact.std()))
    assert (row["histogram"]["low"], row["histogram"]["high"]) == (row["min"], row["max"])
    assert np.abs(np.array(row["histogram"]["counts"]) - np.histogram(exact, 64)[0]).max() <= 1
    row = rows["odd"]
    assert (row["min"], row["max"], row["mean"], row["zeros"], row["nans"], row["infinities"]) == (-2, 0, -1, 1, 1, 1)
    assert (rows["ids"]["min"], rows["ids"]["max"], rows["ids"]["zeros"]) == (0, 4, 1)
    assert (rows["none"]["min"], rows["none"]["histogram"], rows["none"]["nans"]) == (None, None, 0)
    done = [count for count, _ in calls]
    assert done == sorted(done)
    assert done[-1] == document["totals"]["bytes"]


def test_formats_that_are_not_read_are_listed_without_figures(tmp_path: Path) -> None:
    header = {
        "c": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]},
        "f": {"dtype": "F4", "shape": [2], "data_offsets": [8, 9]},
    }
    text = json.dumps(header).encode()
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(9))
    rows = analyse_file(path)["tensors"]
    assert [(row["dtype"], row["elements"], row["min"], row["zeros"]) for row in rows] == [
        ("complex64", 1, None, None),
        ("float4_e2m1fn", 2, None, None),
    ]


def test_the_figures_behind_a_row(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    normal = torch.randn(70, 33, generator=torch.Generator().manual_seed(2))
    normal[3, 4] = -50.0
    save_file({"a": normal, "b": normal.bfloat16()}, path)
    wide, narrow = analyse_file(path)["tensors"]
    exact = normal.double().numpy()
    assert wide["channels"]["channels"] == 70
    assert (wide["channels"]["min"], wide["channels"]["max"]) == (exact.min(1).tolist(), exact.max(1).tolist())
    assert wide["largest"][0] == {"index": 3 * 33 + 4, "value": -50.0}
    for row, values in ((wide, exact), (narrow, normal.bfloat16().double().numpy())):
        far = np.abs(values - values.mean()) > 6 * values.std()
        assert row["outliers"]["count"] == np.count_nonzero(far) == 1
        assert sum(row["binades"]["counts"]) + row["binades"]["zeros"] + row["binades"]["subnormals"] == 70 * 33
        assert row["bits"]["ones"][0] == np.count_nonzero(np.signbit(values))
    assert [field["name"] for field in narrow["bits"]["fields"]] == ["sign", "exponent", "mantissa"]
    assert narrow["bits"]["fields"][1]["entropy"] == pytest.approx(wide["bits"]["fields"][1]["entropy"], abs=0.05)


def test_details_are_told_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({f"layer.{i}.weight": torch.full((4, 4), float(i)) for i in range(450)}, path)
    parts: list[dict] = []
    document = analyse_file(path, on_part=lambda part: parts.append(json.loads(json.dumps(part, allow_nan=False))))
    assert len(parts) >= 4
    outline = parts[0]["outline"]
    whole = analyse_file(path)
    assert outline["totals"] == whole["totals"] == document["totals"]
    assert set(outline["tensors"][0]) == {"name", "dtype", "shape", "bytes", "elements", "role"}
    told = [row for part in parts[1:] for row in part["rows"]]
    assert [place for place, _, _ in told] == list(range(450))
    for place, row, details in told:
        assert {**row, **details} == whole["tensors"][place]
        assert document["tensors"][place] == {name: value for name, value in row.items() if name != "histogram"}
