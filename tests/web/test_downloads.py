"""Results on their way out: whole, in ranges, under names of our making."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.web.downloads import ByteRange, download_name, parse_range

CONTENT = bytes(range(256)) * 4000
"""A little more than one chunk."""


@pytest.fixture
def address(client: TestClient, scene: Any) -> str:
    return f"/api/v1/jobs/{scene.finished(client, content=CONTENT, name='../My model (1).safetensors')}/download"


def test_the_whole_file(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["etag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="My-model-1-bfloat16.safetensors"'
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in answer.headers  # compressing it would break the ranges


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=1000000-", 1_000_000, len(CONTENT) - 1),
        ("bytes=-5", len(CONTENT) - 5, len(CONTENT) - 1),
        ("bytes=5-99999999999", 5, len(CONTENT) - 1),
        ("bytes=-99999999999", 0, len(CONTENT) - 1),
    ],
)
def test_one_range(client: TestClient, address: str, asked: str, first: int, last: int) -> None:
    answer = client.get(address, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=-0"])
def test_ranges_out_of_reach(client: TestClient, address: str, asked: str) -> None:
    answer = client.get(address, headers={"Range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,3-4", "bytes=-", "bytes=9-3", "items=0-1", "bytes=a-b", "bytes=0-" + "9" * 40, "bytes=0x1-"]
)
def test_what_is_no_single_range_gives_the_whole(client: TestClient, address: str, asked: str) -> None:
    assert client.get(address, headers={"Range": asked}).status_code == 200


def test_a_resumed_download_never_joins_two_versions(client: TestClient, address: str) -> None:
    etag = client.get(address).headers["etag"]
    same = client.get(address, headers={"Range": "bytes=5-", "If-Range": etag})
    other = client.get(address, headers={"Range": "bytes=5-", "If-Range": '"other"'})
    assert (same.status_code, other.status_code) == (206, 200)
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 304


def test_parts_make_the_whole() -> None:
    for size in (1, 2, 10, 1000):
        ranges = [parse_range(f"bytes={at}-{at + 2}", size) for at in range(0, size, 3)]
        assert all(isinstance(found, ByteRange) for found in ranges)
        assert sum(found.length for found in ranges if isinstance(found, ByteRange)) == size


def test_a_result_that_is_gone(client: TestClient, scene: Any, address: str) -> None:
    path = next(Path(scene.workspace._storage.path("x")).parent.rglob("result.safetensors"))
    assert path.exists()
    for found in Path(scene.workspace._storage.path("x")).parent.rglob("result.safetensors"):
        found.unlink()
    answer = client.get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "job.result-gone")


def test_a_job_that_is_not_done_has_none(client: TestClient, scene: Any) -> None:
    file_id = scene.analysed(client)
    job_id = client.post("/api/v1/jobs", json={"file": file_id, "scheme": "int8"}).json()["id"]
    for part in ("report", "download"):
        answer = client.get(f"/api/v1/jobs/{job_id}/{part}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "job.no-report")


@pytest.mark.parametrize(
    "shown",
    ["", "...", "模型", "a/b\\c", "x\r\nSet-Cookie: y", 'a"b', "x" * 5000, "-rf", "\u202e.safetensors", "CON", "a%2fb"],
)
def test_names_are_rebuilt(shown: str) -> None:
    name = download_name(shown, "-int8.safetensors")
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}", name)
    assert name.endswith("-int8.safetensors")
    for suffix in (".safetensors", ".gguf", ".pth", ".onnx", ".zip"):
        assert download_name(f"my model{suffix}", "-int8.safetensors") == "my-model-int8.safetensors"


def test_a_gguf_result_is_named_so_and_says_what_is_to_be_known(client: TestClient, scene: Any) -> None:
    job_id = scene.finished(client)
    records = scene.workspace._records
    report = {
        **records.report(job_id),
        "layout": "gguf",
        "files": [{"name": "model.gguf", "bytes": 6, "sha256": "0"}],
        "remarks": ["remark.gguf-no-tokenizer"],
    }
    records.save_report(job_id, report, 6)
    page = client.get(f"/en/jobs/{job_id}").text
    assert "m-bfloat16.gguf" in page
    assert "runs the model on token numbers only" in page
    assert "GGUFReader" in page
    assert "llama-cli" not in page
    answer = client.get(f"/api/v1/jobs/{job_id}/download")
    assert 'filename="m-bfloat16.gguf"' in answer.headers["content-disposition"]
