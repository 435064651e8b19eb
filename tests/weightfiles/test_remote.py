"""Weights at an address: opened in the time of their headers, from a web server on loopback and from memory."""

import io
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pytest
import torch
from safetensors.torch import save

from app.errors import WeightFileError
from app.weightfiles import remote_ranges
from app.weightfiles.range_reader import WeightFile
from app.weightfiles.remote_ranges import BLOCK_BYTES, RemoteFile
from app.weightfiles.source import is_address, open_source
from app.weightfiles.tensor_reader import TensorReader

LARGE = {f"layer.{index}": torch.arange(1 << 18, dtype=torch.float32) + index for index in range(16)}
"""16 MiB."""
SMALL = {"a": torch.arange(6.0).reshape(2, 3)}


@dataclass
class Server:
    """What it serves, how, and what it was asked for."""

    files: dict[str, bytes]
    has_ranges: bool = True
    failures: int = 0
    served: list[int] = field(default_factory=list)
    address: str = ""
    delay: float = 0.0
    at_once: list[int] = field(default_factory=lambda: [0, 0])
    """Requests that are being answered, now and at most."""


class QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what a test is about."""


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server({"/model.safetensors": save(LARGE), "/small.safetensors": save(SMALL)})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            told.at_once[0] += 1
            told.at_once[1] = max(told.at_once)
            time.sleep(told.delay)
            self._answer()
            told.at_once[0] -= 1

        def _answer(self) -> None:
            content = told.files.get(self.path.partition("?")[0])
            if self.headers.get("Range") and told.failures:
                told.failures -= 1
                content = None
                self.send_response(503)
            elif content is None:
                self.send_response(404)
            else:
                content = self._part(content)
            body = content or b""
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            self.end_headers()
            if self.command == "GET":
                told.served.append(len(body))
                self.wfile.write(body)

        def _part(self, content: bytes) -> bytes:
            asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if asked is None or not told.has_ranges:
                self.send_response(200)
                return content
            begin, end = int(asked[1]), int(asked[2]) + 1
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{len(content)}")
            return content[begin:end]

        def log_message(self, *args: object) -> None:
            """Nothing."""

    with QuietServer(("127.0.0.1", 0), Handler) as http:
        told.address = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield told
        http.shutdown()
        thread.join()


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_ranges, "_FIRST_PAUSE", 0)


def refusal(address: str) -> WeightFileError:
    with pytest.raises(WeightFileError) as caught:
        open_source(address)
    return caught.value


def test_opening_takes_the_bytes_of_the_header(server: Server) -> None:
    with WeightFile(f"{server.address}/model.safetensors?download=true") as file:
        assert len(file.header.tensors) == 16
        assert file.source.parts[0].name == "model.safetensors"
        opening = sum(server.served)
        assert opening <= 4 * BLOCK_BYTES
        assert len(server.served) <= 3
        entry = file.header.tensors[5]
        assert torch.equal(TensorReader(file).elements(entry, 0, entry.elements), LARGE[entry.name])
        assert sum(server.served) - opening <= entry.bytes + 2 * BLOCK_BYTES
        file.ensure_unchanged()


def test_a_checkpoint_is_opened_by_many_requests_at_a_time(server: Server) -> None:
    out = io.BytesIO()
    tensors = {f"w{index}": torch.full((20_000,), float(index)) for index in range(60)}
    torch.save(tensors, out)
    server.files["/model.bin"] = out.getvalue()
    server.delay = 0.005
    with WeightFile(f"{server.address}/model.bin") as file:
        assert server.at_once[1] >= 4
        assert len(server.served) < 80
        assert sum(server.served) < 1 << 20
        server.delay = 0.0
        reader = TensorReader(file)
        for entry in file.header.tensors[::10]:
            assert torch.equal(reader.elements(entry, 0, entry.elements), tensors[entry.name])


def test_a_server_that_fails_twice_is_asked_again(server: Server) -> None:
    server.failures = 2
    open_source(f"{server.address}/small.safetensors").close()
    server.failures = 3
    assert refusal(f"{server.address}/small.safetensors").code == "remote.failed"


def test_a_server_without_ranges_is_refused_and_not_downloaded(server: Server) -> None:
    server.has_ranges = False
    assert refusal(f"{server.address}/model.safetensors").code == "remote.no-ranges"


def test_what_is_not_there_is_said_so(server: Server, memory: fsspec.AbstractFileSystem) -> None:
    assert refusal(f"{server.address}/nothing").code == "remote.not-found"
    assert refusal("memory://nothing/here.safetensors").code == "remote.not-found"
    assert refusal("http://127.0.0.1:1/x").code == "remote.not-found"


def test_an_index_over_http_cannot_list_its_folder(server: Server) -> None:
    server.files["/model.safetensors.index.json"] = json.dumps({"weight_map": {"a": "small.safetensors"}}).encode()
    assert refusal(f"{server.address}/model.safetensors.index.json").code == "remote.no-listing"


def test_a_folder_in_a_store_is_one_model(memory: fsspec.AbstractFileSystem) -> None:
    other = {"b": torch.ones(4)}
    index = {"weight_map": {"a": "one.safetensors", "b": "two.safetensors"}}
    files = {
        "one.safetensors": save(SMALL),
        "two.safetensors": save(other),
        "model.safetensors.index.json": json.dumps(index).encode(),
        "config.json": b"{}",
        "sub/model.safetensors": save(other),
    }
    for name, content in files.items():
        memory.pipe_file(f"/model/{name}", content)
    for address in ("memory://model", "memory://model/", "memory://model/model.safetensors.index.json"):
        with WeightFile(address) as file:
            reader = TensorReader(file)
            found = {entry.name: reader.elements(entry, 0, entry.elements).tolist() for entry in file.header.tensors}
            assert found == {"a": [0, 1, 2, 3, 4, 5], "b": [1, 1, 1, 1]}
            assert file.source.companion("config.json") == b"{}"
    with WeightFile("memory://model/one.safetensors") as file:
        assert file.source.companion("config.json") == b"{}"
    memory.pipe_file("/model/model.safetensors.index.json", b'{"weight_map": {"a": "../model/one.safetensors"}}')
    assert refusal("memory://model").code == "index.shard-name"


def test_a_change_is_noticed(memory: fsspec.AbstractFileSystem) -> None:
    memory.pipe_file("/x.safetensors", save(SMALL))
    with WeightFile("memory://x.safetensors") as file:
        file.ensure_unchanged()
        memory.pipe_file("/x.safetensors", save(SMALL) + b" ")
        with pytest.raises(WeightFileError, match=r"file\.changed"):
            file.ensure_unchanged()


def test_every_range_is_read_as_it_is(memory: fsspec.AbstractFileSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_ranges, "BLOCK_BYTES", 7)
    monkeypatch.setattr(remote_ranges, "MAX_BLOCKS", 8)
    content = bytes(range(100))
    memory.pipe_file("/x", content)
    ranges = RemoteFile(memory, "/x", "x", memory.info("/x"))
    for begin in range(0, 101, 3):
        for end in range(begin, 101):
            buffer = bytearray(end - begin)
            ranges.read_into(memoryview(buffer), begin)
            assert buffer == content[begin:end]
    with pytest.raises(WeightFileError, match=r"file\.shrank"):
        ranges.read_into(memoryview(bytearray(2)), 99)
    ranges.close()


@pytest.mark.parametrize(
    "address", ["ftp://x/y", "file:///etc/passwd", "zip://a::memory://b", "github://a:b@c/d", "x://"]
)
def test_other_kinds_of_address_are_refused(address: str) -> None:
    assert refusal(address).code == "remote.scheme"


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(address: str) -> None:
        raise ImportError

    monkeypatch.setattr("app.weightfiles.remote_source.url_to_fs", missing)
    error = refusal("s3://bucket/model.safetensors")
    assert (error.code, error.figures["library"]) == ("remote.no-library", "bitlens[s3]")


def test_paths_are_no_addresses() -> None:
    assert is_address("hf://org/model")
    for path in ("/data/http://x", "./s3://x", "model.safetensors", "C:\\x", "a/b://c", ""):
        assert not is_address(path)


def test_nothing_of_it_is_loaded_for_a_file(tmp_path: object) -> None:
    script = "import sys, app.weightfiles.checking; print('fsspec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
