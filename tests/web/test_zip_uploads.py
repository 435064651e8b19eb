"""Several files uploaded as one zip: a sharded model, a model with its data beside it, and what is refused in words."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.tasks.upload import check_in_a_process
from app.wording import Language, say
from tests.weightfiles.made_onnx import external, model, tensor


def safetensors(name: str) -> bytes:
    header = json.dumps({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


INDEX = json.dumps({"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}).encode()
SHARDS = {
    "one.safetensors": safetensors("a"),
    "two.safetensors": safetensors("b"),
    "model.safetensors.index.json": INDEX,
}


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"model/{name}", data)
    return content.getvalue()


@pytest.mark.parametrize(
    ("members", "names"),
    [
        ({**SHARDS, "config.json": b"{}", "README.md": b"# Hello"}, ["a", "b"]),
        ({"m.onnx": model(tensor(b"w", (2,), 1, external(location="m.data"))), "m.data": bytes(8)}, ["w"]),
    ],
)
def test_a_zip_is_one_model(client: TestClient, tmp_path: Path, members: dict[str, bytes], names: list[str]) -> None:
    answer = client.post("/api/v1/files", files={"file": ("model.zip", zipped(members))})
    assert answer.status_code == 201, answer.json()
    assert client.get(f"/api/v1/files/{answer.json()['id']}").json()["name"] == "model.zip"
    (tmp_path / "upload").write_bytes(zipped(members))
    outline = check_in_a_process(tmp_path / "upload")
    assert outline is not None
    assert [each["name"] for each in outline["tensors"]] == names


BAD: dict[str, tuple[dict[str, bytes], str]] = {
    "a broken shard": ({**SHARDS, "two.safetensors": SHARDS["two.safetensors"][:-1]}, "safetensors.truncated"),
    "a missing shard": ({"one.safetensors": SHARDS["one.safetensors"], "x.index.json": INDEX}, "index.shard-missing"),
    "no weights": ({"README.md": b"# Hello"}, "folder.no-weights"),
    "data outside": ({"m.onnx": model(tensor(b"w", (2,), 1, external(location="../m.data")))}, "onnx.external-path"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_member_is_named_in_words(client: TestClient, case: str) -> None:
    members, code = BAD[case]
    answer = client.post("/api/v1/files", files={"file": ("model.zip", zipped(members))})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, code)
    if case == "a broken shard":
        assert error["message"].startswith("two.safetensors: ")
    page = client.post("/zh/compress", files={"file": ("model.zip", zipped(members))})
    assert page.status_code == 422
    if case == "no weights":
        assert say(code, {"files": 1}, Language.CHINESE) in page.text


def test_an_address_is_never_opened(client: TestClient) -> None:
    answer = client.post("/api/v1/files", files={"file": ("http://127.0.0.1/x.safetensors", b"http://127.0.0.1/x")})
    assert answer.status_code == 422
