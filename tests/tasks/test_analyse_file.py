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
