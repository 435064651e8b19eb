"""Looks at tensors: every pixel and every number against numpy over the whole tensor at once."""

import base64
import io
import json
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from app.errors import NotFound, WeightFileError
from app.tasks.grey_png import grey_png
from app.tasks.look import look_at
from app.tasks.look_window import LookWindow, MatrixShape
from app.weightfiles.tensor_reader import TensorReader


def pixels_of(document: dict) -> np.ndarray:
    """Reads a grey PNG with filter 0, as its specification says."""
    png = base64.b64decode(document["png"])
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    stream, data = io.BytesIO(png[8:]), b""
    while head := stream.read(8):
        length, kind = struct.unpack(">I4s", head)
        content = stream.read(length)
        assert struct.unpack(">I", stream.read(4))[0] == zlib.crc32(kind + content)
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", content[:10])
        elif kind == b"IDAT":
            data += content
    assert (depth, colour) == (8, 0)
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:]


def pooled(matrix: np.ndarray, window: LookWindow, how) -> np.ndarray:
    part = matrix[window.top : window.top + window.rows, window.left : window.left + window.columns]
    down, across = window.cell
    return np.array(
        [
            [how(part[r : r + down, c : c + across]) for c in range(0, part.shape[1], across)]
            for r in range(0, part.shape[0], down)
        ]
    )


@pytest.mark.parametrize("shape", [(700, 300), (3, 2000), (600, 5, 2), (1000,), (70_000,), ()])
def test_every_cell_is_the_largest_magnitude_under_it(tmp_path: Path, shape, monkeypatch) -> None:
    monkeypatch.setattr(TensorReader.__init__, "__defaults__", (4096,))
    path = tmp_path / "x.safetensors"
    values = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    save_file({"w": values}, path)
    matrix = MatrixShape.of(shape)
    flat = np.zeros(matrix.rows * matrix.columns)
    flat[: values.numel()] = values.double().view(-1).numpy()
    window = LookWindow.within(matrix, {}, "values")
    document = json.loads(json.dumps(look_at(path, "w", window), allow_nan=False))
    cells = pooled(np.abs(flat.reshape(matrix.rows, matrix.columns)), window, np.max)
    assert document["largest"] == cells.max()
    with np.errstate(divide="ignore"):
        expected = np.where(cells > 0, np.clip(255 * (1 + np.log2(cells / cells.max()) / 8), 6, 255), 0)
    assert np.abs(pixels_of(document).astype(float) - expected).max() <= 1


windows = st.tuples(*[st.integers(0, 60)] * 2, *[st.integers(1, 60)] * 2)


@given(windows, st.sampled_from(["bfloat16", "float32", "int8", "float64"]), st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_small_windows_have_every_code(tmp_path: Path, asked, dtype, data) -> None:
    kind = getattr(torch, dtype)
    octets = np.random.default_rng(7).integers(0, 256, 50 * 40 * kind.itemsize, dtype=np.uint8)
    values = torch.from_numpy(octets).view(kind).view(50, 40)
    path = tmp_path / f"{dtype}.safetensors"
    if not path.exists():
        save_file({"w": values}, path)
    bit = data.draw(st.integers(0, kind.itemsize * 8 - 1))
    window = LookWindow.within(
        MatrixShape(50, 40), dict(zip(("top", "left", "rows", "columns"), asked, strict=True)), str(bit)
    )
    document = json.loads(json.dumps(look_at(path, "w", window), allow_nan=False))
    codes = octets.view(f"<u{kind.itemsize}").reshape(50, 40)[
        window.top : window.top + window.rows, window.left : window.left + window.columns
    ]
    ones = (codes.astype(object) >> bit) & 1
    assert document["ones"] == pytest.approx(ones.mean())
    assert (pixels_of(document) == ones * 255).all()
    assert (document["numbers"] is not None) == (window.rows <= 16 and window.columns <= 16)
    for row, numbers in enumerate(document["numbers"] or []):
        for column, (code, value) in enumerate(numbers):
            assert code == f"0x{int(codes[row, column]):0{kind.itemsize * 2}x}"
            number = values[window.top + row, window.left + column].double().item()
            assert value == number if math.isfinite(number) else value == str(number)


def test_bits_are_pooled_to_their_share(tmp_path: Path) -> None:
    values = torch.arange(600 * 300, dtype=torch.int32).to(torch.int16).view(600, 300)
    path = tmp_path / "x.safetensors"
    save_file({"w": values}, path)
    window = LookWindow.within(MatrixShape(600, 300), {}, "3")
    bits = (values.numpy().view(np.uint16) >> 3) & 1
    found = pixels_of(look_at(path, "w", window)).astype(float)
    assert np.abs(found - 255 * pooled(bits, window, np.mean)).max() <= 0.51


def test_what_is_no_number_stands_out(tmp_path: Path) -> None:
    values = torch.full((20, 20), 1e-6)
    values[0, 0], values[5, 5], values[19, 19] = math.nan, -math.inf, 1.0
    path = tmp_path / "x.safetensors"
    save_file({"w": values}, path)
    document = look_at(path, "w", LookWindow(0, 0, 20, 20))
    pixels = pixels_of(document)
    assert (pixels[0, 0], pixels[5, 5], pixels[19, 19], pixels[1, 1]) == (255, 255, 255, 6)
    assert (document["strange"], document["largest"]) == (2, 1.0)
    assert look_at(path, "w", LookWindow(0, 0, 2, 2))["numbers"][0][0] == ["0x7fc00000", "nan"]


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"w": torch.zeros(4, 4), "none": torch.zeros(0, 4)}, path)
    with pytest.raises(NotFound, match=r"look\.no-tensor"):
        look_at(path, "v", LookWindow(0, 0, 1, 1))
    for window in (LookWindow(0, 0, 5, 4), LookWindow(4, 0, 1, 1), LookWindow(-1, 0, 1, 1)):
        with pytest.raises(WeightFileError, match=r"look\.unreadable"):
            look_at(path, "w", window)
    with pytest.raises(WeightFileError, match=r"look\.unreadable"):
        look_at(path, "none", LookWindow(0, 0, 1, 1))


def test_a_png_of_one_pixel() -> None:
    png = grey_png(b"\x80", 1, 1)
    assert pixels_of({"png": base64.b64encode(png)}).tolist() == [[128]]


def test_a_quantized_weight_is_looked_at_as_what_it_stands_for(tmp_path: Path) -> None:
    """Read by our own reader, held against the numbers of GGUF's own library; its first block is the file's bytes."""
    import gguf

    from app.tasks.analyse_file import analyse_file

    values = np.random.default_rng(0).normal(0, 0.02, (64, 256)).astype(np.float32)
    kind = gguf.GGMLQuantizationType.Q4_0
    blocks = gguf.quants.quantize(values, kind)
    path = tmp_path / "x.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tensor("blk.0.attn_q.weight", blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    restored = gguf.quants.dequantize(blocks, kind)
    [row] = analyse_file(path)["tensors"]
    assert (row["encoding"], row["role"]) == ({"layout": "gguf", "scheme": "q4_0"}, "attention")
    assert (row["min"], row["max"]) == (restored.min(), restored.max())
    assert row["block"]["bytes"] == blocks.reshape(-1)[:18].tobytes().hex()
    assert row["block"]["values"] == restored.reshape(-1)[:32].tolist()
    numbers = look_at(path, "blk.0.attn_q.weight", LookWindow(3, 5, 4, 6))["numbers"]
    assert [[value for _, value in line] for line in numbers] == restored[3:7, 5:11].tolist()
    assert numbers[0][0][0] == f"0x{restored[3, 5].view(np.uint32):08x}"
