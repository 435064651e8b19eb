"""The whole way with everything real: `bitlens serve`, its worker and their processes."""

import hashlib
import html
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import load_file

PATIENCE = 90
QUERY = "encoder.layer.0.attention.self.query.weight"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(7)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    shapes = {QUERY: (48, 64), "encoder.layer.0.output.dense.weight": (32, 24), "pooler.dense.weight": (5, 7)}
    tensors = {name: random.normal(0, 0.05, shape).astype(np.float32) for name, shape in shapes.items()}
    tensors["embeddings.word_embeddings.weight"] = random.normal(0, 1, (10, 8)).astype(np.float32)
    tensors["encoder.layer.0.output.LayerNorm.bias"] = np.array([0, np.nan, np.inf, -1], dtype=np.float32)
    save_file(tensors, path, metadata={"format": "pt"})
    return path


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("serve")
    environment = {**os.environ, "BITLENS_DATA_DIR": str(data), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    with (data / "serve.log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stderr=log, start_new_session=True)
    try:
        found = None
        deadline = time.monotonic() + PATIENCE
        while found is None:
            assert server.poll() is None, (data / "serve.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
            found = re.search(r"http://127\.0\.0\.1:\d+", (data / "serve.log").read_text())
        yield found[0]
    finally:
        begun = time.monotonic()
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    assert time.monotonic() - begun < 15
    said = (data / "serve.log").read_text()
    assert "Traceback" not in said, said


@pytest.fixture
def client(address: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=address, timeout=PATIENCE) as client:
        yield client


def upload(client: httpx2.Client, weights: Path) -> str:
    with weights.open("rb") as file:
        answer = client.post("/api/v1/files", files={"file": ("tiny.safetensors", file)})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def wait_for(client: httpx2.Client, address: str, *states: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while (document := client.get(address).json())["state"] not in states:
        assert time.monotonic() < deadline, document
        time.sleep(0.1)
    return dict(document)


def events(client: httpx2.Client, address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with client.stream("GET", address) as stream:
        for line in stream.iter_lines():
            if line == "event: done":
                break
            if line.startswith("data: "):
                found.append(json.loads(line.removeprefix("data: ")))
    return found


def test_from_upload_to_loaded_weights(client: httpx2.Client, weights: Path, tmp_path: Path) -> None:
    file_id = upload(client, weights)
    document = wait_for(client, f"/api/v1/files/{file_id}", "ready", "failed")
    rows = {row["name"]: row for row in document["tensors"]}
    original = load_file(weights)
    assert rows.keys() == original.keys()
    assert rows[QUERY]["max"] == float(original[QUERY].max())
    strange = rows["encoder.layer.0.output.LayerNorm.bias"]
    assert (strange["nans"], strange["infinities"], strange["zeros"], strange["min"]) == (1, 1, 1, -1.0)

    for scheme in ("bfloat16", "int8"):
        job_id = client.post("/api/v1/jobs", json={"file": file_id, "scheme": scheme}).json()["id"]
        assert events(client, f"/api/v1/jobs/{job_id}/events")[-1]["state"] == "done"
        report = client.get(f"/api/v1/jobs/{job_id}/report").json()
        content = client.get(f"/api/v1/jobs/{job_id}/download").content
        assert hashlib.sha256(content).hexdigest() == report["sha256"]
        result = tmp_path / f"tiny-{scheme}.safetensors"
        result.write_bytes(content)
        page = client.get(f"/en/jobs/{job_id}").text
        shown = [html.unescape(text) for text in re.findall(r"<code>(.*?)</code>", page, re.DOTALL)]
        if scheme == "int8":
            assert json.loads(shown[0])["quantization_config"]["quant_method"] == "compressed-tensors"
            compressed = expanded_as_shown(shown[1], tmp_path)[QUERY]
        else:
            compressed = run_as_shown(shown[0], tmp_path)["weights"][QUERY].float()
        row = next(row for row in report["tensors"] if row["name"] == QUERY)
        assert compressed.shape == original[QUERY].shape
        error = float((compressed.double() - original[QUERY].double()).abs().max())
        assert error == pytest.approx(row["max_abs_error"], rel=1e-6)
        kept = {row["name"] for row in report["tensors"] if row["kept"]}
        assert kept == {"embeddings.word_embeddings.weight", "encoder.layer.0.output.LayerNorm.bias"}


def expanded_as_shown(shown: str, folder: Path) -> dict[str, torch.Tensor]:
    """Runs the command that turns the download back into plain floats."""
    program, *arguments = shlex.split(shown)
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
    return load_file(folder / arguments[-1])


def run_as_shown(shown: str, folder: Path) -> dict[str, Any]:
    """Runs the lines of "How to load it" where the download lies."""
    names: dict[str, Any] = {}
    lines = shown.replace('load_file("', f'load_file("{folder}/')
    exec(lines, names)  # noqa: S102 - our own page's example is what is being tested
    return names


@pytest.mark.parametrize(("language", "word"), [("en", "times smaller"), ("zh", "压缩比")])
def test_the_same_by_forms_alone(client: httpx2.Client, weights: Path, language: str, word: str) -> None:
    with weights.open("rb") as file:
        answer = client.post(f"/{language}/compress", files={"file": ("tiny.safetensors", file)})
    page = answer.headers["location"]
    deadline = time.monotonic() + PATIENCE
    while 'http-equiv="refresh"' in (text := client.get(page).text):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert QUERY.replace(".", ".<wbr>").replace("_", "_<wbr>") in text
    job = client.post(
        page, data={"scheme": "float8_e4m3fn", "granularity": "channel", "include": "", "exclude": "*pooler*"}
    )
    assert job.status_code == 303
    while 'http-equiv="refresh"' in (text := client.get(job.headers["location"]).text):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert word in text
    download = re.search(r'href="(/api/v1/jobs/[^"]+/download)"', text)
    assert download is not None
    whole = client.get(download[1])
    part = client.get(download[1], headers={"Range": "bytes=10-19", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[10:20])


def test_a_refused_compression_says_why(client: httpx2.Client, weights: Path) -> None:
    """float8_e4m3fn has no infinity, and a tensor that holds one is asked for by name."""
    file_id = upload(client, weights)
    wait_for(client, f"/api/v1/files/{file_id}", "ready")
    body = {"file": file_id, "scheme": "float8_e4m3fn", "include": ["*.bias"]}
    address = "/api/v1/jobs/" + client.post("/api/v1/jobs", json=body).json()["id"]
    job = wait_for(client, address, "failed", "done")
    print(job)
    assert job["state"] == "failed"
    assert "LayerNorm.bias" in job["error"]["message"]
    for language in ("en", "zh"):
        assert "LayerNorm.bias" in client.get(address.replace("/api/v1", f"/{language}")).text
    assert client.get(f"{address}/download").status_code == 409
