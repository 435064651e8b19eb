"""The application over a scratch folder, with jobs that stand wherever a test puts them."""

import json
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.jobs.states import JobState, State
from app.settings import Settings
from app.tasks.workspace import Workspace
from app.web.application import create_app


@dataclass
class JobsOnPaper:
    """Stands in for the job client: nothing runs, every state is what a test says."""

    known: dict[str, JobState] = field(default_factory=dict)
    cancelled: list[str] = field(default_factory=list)
    looks: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    """By id: under which key the document is to lie, and what is to be looked at."""

    def start_analysis(self, file_id: str, source_key: str) -> str:
        self.known[file_id] = JobState(State.QUEUED)
        return file_id

    def start_compression(self, job_id: str, source_key: str, result_key: str, options: Mapping[str, Any]) -> str:
        self.known[job_id] = JobState(State.QUEUED)
        return job_id

    def start_look(self, look_id: str, source_key: str, look_key: str, arguments: Mapping[str, Any]) -> str:
        self.known[look_id] = JobState(State.QUEUED)
        self.looks[look_id] = (look_key, arguments)
        return look_id

    def unfinished_looks(self) -> int:
        return sum(not self.known[look_id].state.is_final for look_id in self.looks if look_id in self.known)

    def forget(self, job_ids: Collection[str]) -> None:
        for job_id in job_ids:
            self.known.pop(job_id, None)

    def state(self, job_id: str) -> JobState:
        return self.known.get(job_id, JobState(State.EXPIRED))

    def states(self, job_ids: Collection[str]) -> dict[str, JobState]:
        return {job_id: self.state(job_id) for job_id in job_ids}

    def cancel(self, job_id: str) -> None:
        self.cancelled.append(job_id)
        self.known[job_id] = JobState(State.CANCELLED)

    def unfinished(self) -> int:
        return sum(not state.state.is_final for job_id, state in self.known.items() if job_id not in self.looks)


def build_application(folder: Path, jobs: JobsOnPaper, **settings: Any) -> FastAPI:
    hosts = (*Settings().allowed_hosts, "testserver")
    ours = {"min_free_bytes": 0, "max_queued_jobs": 10_000, "allowed_hosts": hosts, **settings}
    app = create_app(Settings(data_dir=folder, **ours))
    app.state.services.workspace._jobs = jobs
    return app


@pytest.fixture(scope="session")
def jobs() -> JobsOnPaper:
    return JobsOnPaper()


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory, jobs: JobsOnPaper) -> Iterator[FastAPI]:
    app = build_application(tmp_path_factory.mktemp("data"), jobs)
    with TestClient(app):
        yield app


@pytest.fixture
def build(tmp_path: Path, jobs: JobsOnPaper) -> Callable[..., FastAPI]:
    """Another application, with other settings."""
    return lambda **settings: build_application(tmp_path, jobs, **settings)


@pytest.fixture(scope="session")
def scene(application: FastAPI, jobs: JobsOnPaper) -> "Scene":
    return Scene(application.state.services.workspace, jobs)


@pytest.fixture
def workspace(application: FastAPI) -> Workspace:
    return application.state.services.workspace


@pytest.fixture
def new_client(application: FastAPI) -> Callable[[], TestClient]:
    return lambda: TestClient(application, follow_redirects=False)


@pytest.fixture
def client(new_client: Callable[[], TestClient]) -> TestClient:
    """A browser that nobody has seen before."""
    return new_client()


def safetensors(
    tensors: Mapping[str, tuple[str, list[int], bytes]], metadata: Mapping[str, str] | None = None
) -> bytes:
    """A weight file, written as the format's document says."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    body = b""
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + body


class Scene:
    """Brings files and jobs into the state that a test needs."""

    small = safetensors({"layer.weight": ("F32", [2, 2], struct.pack("<4f", 0.1, -2, 0, 4))})
    safetensors = staticmethod(safetensors)

    def __init__(self, workspace: Workspace, jobs: JobsOnPaper) -> None:
        self.workspace = workspace
        self.jobs = jobs

    def upload(self, client: TestClient, content: bytes = small, name: str = "model.safetensors") -> str:
        answer = client.post("/api/v1/files", files={"file": (name, content)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def analysed(self, client: TestClient, *rows: dict[str, Any], metadata: Mapping[str, str] | None = None) -> str:
        """A file whose analysis has been made."""
        file_id = self.upload(client)
        self.workspace._records.save_analysis(file_id, self.analysis(*rows, metadata=metadata))
        return file_id

    def finished(self, client: TestClient, *rows: dict[str, Any], content: bytes = b"result", name: str = "m") -> str:
        """A job that is done: its result lies in storage, its report in the records."""
        file_id = self.upload(client, name=name)
        self.workspace._records.save_analysis(file_id, self.analysis())
        job_id = str(client.post("/api/v1/jobs", json={"file": file_id, "scheme": "bfloat16"}).json()["id"])
        owner = self.workspace.owner_of(client.cookies["owner"])
        assert owner is not None
        record = self.workspace._records.find_job(owner, job_id)
        with self.workspace._storage.writer(record.result_key) as writer:
            writer.write(content)
            stored = writer.commit()
        report = {
            "scheme": "bfloat16", "granularity": None, "symmetric": True, "scale": None, "layout": "safetensors",
            "source": {"bytes": 96}, "bytes_before": 96, "bytes_after": stored.bytes, "ratio": 96 / stored.bytes,
            "sha256": stored.sha256, "tensors": list(rows or (self.report_row(),)),
        }  # fmt: skip
        self.workspace._records.save_report(job_id, report, stored.bytes)
        self.jobs.known[job_id] = JobState(State.DONE)
        return job_id

    def look(self, client: TestClient, file_id: str, name: str = "layer.weight") -> None:
        """A look at a whole tensor that has been made."""
        assert client.get(f"/en/files/{file_id}/tensors?name={name}").status_code == 200
        look_id, (key, _) = next(found for found in self.jobs.looks.items() if found[0].startswith(file_id))
        self.jobs.known[look_id] = JobState(State.DONE)
        document = {"largest": 1.0, "ones": None, "strange": 0, "png": "iVBORw0KGgo=", "numbers": None}
        with self.workspace._storage.writer(key) as writer:
            writer.write(json.dumps(document).encode())
            writer.commit()

    def analysis(self, *rows: dict[str, Any], metadata: Mapping[str, str] | None = None) -> dict[str, Any]:
        rows = rows or (self.tensor(),)
        size = sum(row["bytes"] for row in rows)
        parameters = sum(row["elements"] for row in rows)
        by_dtype = {"float32": {"tensors": len(rows), "bytes": size}}
        totals = {"tensors": len(rows), "parameters": parameters, "bytes": size, "by_dtype": by_dtype}
        head = {"bytes": 96, "kind": "safetensors", "metadata": dict(metadata or {}), "totals": totals}
        return {**head, "tensors": list(rows)}

    def tensor(self, name: str = "layer.weight", **changes: Any) -> dict[str, Any]:
        """A row of an analysis."""
        row = {
            "name": name, "dtype": "float32", "shape": [2, 2], "bytes": 16, "elements": 4, "min": -2.0, "max": 4.0,
            "mean": 0.525, "std": 2.2, "zeros": 1, "nans": 0, "infinities": 0,
            "histogram": {"low": -2.0, "high": 4.0, "counts": [1, 0, 2, 1] * 16},
        }  # fmt: skip
        return {**row, **changes}

    def report_row(self, name: str = "layer.weight", **changes: Any) -> dict[str, Any]:
        """A row of a report."""
        row = {
            "name": name, "dtype": "float32", "shape": [2, 2], "kept": False, "reason": None, "stored_as": "bfloat16",
            "scheme": "bfloat16", "granularity": None, "bytes_before": 16, "bytes_after": 8, "bits_per_weight": 16.0,
            "sqnr_db": 50.0, "mse": 1e-6, "max_abs_error": 0.001, "cosine": 0.999999, "saturated": 0, "overflowed": 0,
            "note": None,
        }  # fmt: skip
        return {**row, **changes}
