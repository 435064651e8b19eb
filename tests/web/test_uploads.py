"""Weight files on their way in: good, bad, too large, broken off, with odd names, on a full disk."""

import asyncio
import hashlib
import html
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.errors import StorageFull
from app.tasks.upload import UploadLimits, shown_name
from app.web.multipart_file import MultipartFile
from app.wording import Language, say


def stored_files(application: FastAPI) -> set[Path]:
    root = application.state.services.settings.data_dir
    return {path for path in root.rglob("*") if path.is_file() and "owners" in path.parts}


def test_a_good_file(client: TestClient, scene: Any) -> None:
    answer = client.post("/api/v1/files", files={"file": ("model.safetensors", scene.small)})
    assert answer.status_code == 201
    document = answer.json()
    assert (document["name"], document["bytes"], document["state"]) == (
        "model.safetensors",
        len(scene.small),
        "analysing",
    )
    assert document["sha256"] == hashlib.sha256(scene.small).hexdigest()
    assert answer.headers["location"] == f"/api/v1/files/{document['id']}"
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert client.get("/api/v1/files").json()["files"][0]["id"] == document["id"]
    assert document["id"] in scene.jobs.known  # its analysis was asked for


def test_the_secret_of_post_owners_is_an_owner(client: TestClient, scene: Any) -> None:
    secret = client.post("/api/v1/owners").json()["secret"]
    bearer = {"Authorization": f"Bearer {secret}"}
    answer = client.post("/api/v1/files", files={"file": ("m", scene.small)}, headers=bearer)
    assert "set-cookie" not in answer.headers
    assert client.get(f"/api/v1/files/{answer.json()['id']}", headers=bearer).status_code == 200
    assert client.get(f"/api/v1/files/{answer.json()['id']}").status_code == 404


BAD = {
    "empty": (b"", "file.empty"),
    "pickle": (b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94", "file.pickle"),
    "git lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64, "file.git-lfs-pointer"),
    "web page": (b"<!DOCTYPE html><html><title>Sign in</title></html>", None),
    "header longer than the file": ((2**40).to_bytes(8, "little") + b"{}", None),
    "header claims data that is not there": (
        (72).to_bytes(8, "little") + b'{"w":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}'.ljust(72),
        None,
    ),
}


@pytest.mark.parametrize(("content", "code"), BAD.values(), ids=BAD.keys())
def test_bad_files(client: TestClient, application: FastAPI, content: bytes, code: str | None) -> None:
    before = stored_files(application)
    answer = client.post("/api/v1/files", files={"file": ("model.safetensors", content)})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert code is None or error["code"] == code
    assert error["message"].endswith((".", "."))
    assert stored_files(application) == before
    assert client.get("/api/v1/files").json() == {"files": []}


def test_a_truncated_file(client: TestClient, scene: Any) -> None:
    for cut in (1, 7, 8, 20, len(scene.small) - 1):
        assert client.post("/api/v1/files", files={"file": ("m", scene.small[:cut])}).status_code == 422


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("content", [content for content, _ in BAD.values()], ids=BAD.keys())
def test_the_page_says_what_is_wrong(client: TestClient, language: Language, content: bytes) -> None:
    """The same sentence beside the form, in the reader's language, with and without script."""
    error = client.post("/api/v1/files", files={"file": ("x.safetensors", content)}).json()["error"]
    sentence = say(error["code"], error["detail"], language)
    answer = client.post(f"/{language}/compress", files={"file": ("x.safetensors", content)})
    assert answer.status_code == 422
    assert 'role="alert" data-refusal>' in answer.text
    assert sentence in html.unescape(answer.text)
    live = client.post(f"/{language}/compress", files={"file": ("x", content)}, headers={"Accept": "application/json"})
    assert live.status_code == 422
    assert live.json()["error"]["message"] == sentence
    assert any("\u4e00" <= letter <= "\u9fff" for letter in sentence) == (language is Language.CHINESE)


def test_the_page_leads_to_the_file(client: TestClient, scene: Any) -> None:
    answer = client.post("/zh/compress", files={"file": ("m.safetensors", scene.small)})
    assert answer.status_code == 303
    assert client.get(answer.headers["location"]).status_code == 200
    live = client.post("/zh/compress", files={"file": ("m", scene.small)}, headers={"Accept": "application/json"})
    assert (live.status_code, live.json()["location"][:10]) == (201, "/zh/files/")


def test_a_form_without_a_file(client: TestClient) -> None:
    boundary = "multipart/form-data; boundary=b"
    nothing = b'--b\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--b--\r\n'
    other = b'--b\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n--b--\r\n'
    cut = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx'
    two = nothing.replace(b'filename=""', b'filename="a"').removesuffix(b"--\r\n") + b"\r\n" + nothing[5:]
    broken = cut.replace(b"--b", b"--x")
    codes = {nothing: "upload.no-file", other: "upload.no-file", two: "upload.two-files"}
    codes |= {cut: "upload.incomplete", broken: "upload.malformed"}
    for body, code in codes.items():
        answer = client.post("/api/v1/files", content=body, headers={"content-type": boundary})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "b" * 71,
    ],
)
def test_bodies_of_another_kind(client: TestClient, kind: str) -> None:
    answer = client.post("/api/v1/files", content=b"--b--", headers={"content-type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "upload.not-multipart")


def test_odd_pieces_of_a_body_give_the_same_file() -> None:
    content = bytes(range(256)) * 8 + b"\r\n--b\r\n-- \r\n--"
    body = (
        b'--bound\r\nContent-Disposition: form-data; name="file"; filename="\xe5\x90\x8d"\r\n\r\n'
        + content
        + b"\r\n--bound--\r\n"
    )
    for size in (1, 2, 3, 7, 64, len(body)):
        part = MultipartFile("multipart/form-data; boundary=bound")
        read = b"".join(b"".join(part.feed(body[at : at + size])) for at in range(0, len(body), size))
        assert (read, part.name, part.complete) == (content, "名", True)


NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\x\\model.safetensors": "model.safetensors",
    "a\u202egpj.exe": "agpj.exe",
    "a\x00b\r\nc": "abc",
    "": "weights.safetensors",
    "..": "..",
    "x" * 5000: "x" * 120,
    "模型🙂.safetensors": "模型🙂.safetensors",
}


@pytest.mark.parametrize(("name", "shown"), NAMES.items(), ids=range(len(NAMES)))
def test_names(name: str, shown: str) -> None:
    assert shown_name(name) == shown


def test_a_very_long_name_is_cut(client: TestClient, scene: Any) -> None:
    answer = client.post("/api/v1/files", files={"file": ("名" * 5000, scene.small)})
    assert (answer.status_code, answer.json()["name"]) == (201, "名" * 120)


def test_a_hostile_name_is_text_on_every_page(client: TestClient, scene: Any) -> None:
    name = "<script>alert(1)</script>\"'{{7*7}}.safetensors"
    file_id = scene.upload(client, name=name.replace('"', "%22"))
    for path in ("/en/compress", f"/en/files/{file_id}"):
        page = client.get(path).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page or "script&gt;" in page
        assert "49.safetensors" not in page


@pytest.fixture
def limits(scene: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    def set_limits(**changed: int) -> None:
        given = {"max_upload_bytes": 10_000, "max_owner_bytes": 20_000, "max_owner_files": 3, **changed}
        monkeypatch.setattr(scene.workspace, "_limits", UploadLimits(**given))

    return set_limits


def chunked(content: bytes, **fields: str) -> dict[str, Any]:
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="m"\r\n\r\n'
    body = head + content + b"\r\n--b--\r\n"
    pieces = (body[at : at + 1000] for at in range(0, len(body), 1000))
    return {"content": pieces, "headers": {"content-type": "multipart/form-data; boundary=b"}}


def test_too_large(client: TestClient, application: FastAPI, limits: Any) -> None:
    limits(max_upload_bytes=5000)
    before = stored_files(application)
    declared = client.post("/api/v1/files", files={"file": ("m", b"x" * 40_000)})
    counted = client.post("/api/v1/files", **chunked(b"x" * 5001))
    for answer in (declared, counted):
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "upload.too-large")
        assert answer.json()["error"]["detail"] == {"limit": 5000}
    assert stored_files(application) == before


def test_quotas(client: TestClient, scene: Any, limits: Any) -> None:
    limits(max_owner_bytes=2 * len(scene.small) + 10)
    first = scene.upload(client)
    scene.upload(client)
    full = client.post("/api/v1/files", **chunked(scene.small))
    assert (full.status_code, full.json()["error"]["code"]) == (409, "upload.owner-full")
    limits(max_owner_files=2)
    many = client.post("/api/v1/files", **chunked(scene.small))
    assert (many.status_code, many.json()["error"]["code"]) == (409, "upload.too-many-files")
    assert client.delete(f"/api/v1/files/{first}").status_code == 204
    scene.upload(client)


def test_a_full_disk(client: TestClient, application: FastAPI, scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stored_files(application)
    monkeypatch.setattr(scene.workspace._storage, "free_bytes", lambda: 50)
    answer = client.post("/api/v1/files", files={"file": ("m", scene.small)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (507, "storage.full")
    monkeypatch.undo()

    def refuse(*_: object) -> None:
        raise StorageFull("storage.full")

    monkeypatch.setattr("app.storage.writer.DurableWriter.write", refuse)
    for language, word in (("en", "disk"), ("zh", "磁盘")):
        page = client.post(f"/{language}/compress", files={"file": ("m", scene.small)})
        assert page.status_code == 507
        assert word in page.text
    assert stored_files(application) == before


def test_a_full_disk_lets_files_and_results_be_removed(
    client: TestClient, application: FastAPI, scene: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored_files(application)
    file_id = scene.upload(client)
    path = f"/api/v1/files/{file_id}"

    def refuse(*_: object) -> None:
        raise StorageFull("storage.full")

    monkeypatch.setattr(scene.workspace._records, "remove_file", refuse)
    assert client.delete(path).status_code == 507
    assert stored_files(application) == before, "the bytes went, so that there is room to forget them"
    monkeypatch.undo()
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_no_upload_while_the_queue_is_full(client: TestClient, scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene.workspace, "_max_queued_jobs", 0)
    answer = client.post("/api/v1/files", files={"file": ("m", scene.small)})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "job.queue-full")
    assert int(answer.headers["retry-after"]) > 0


def test_a_client_that_leaves_leaves_nothing(application: FastAPI) -> None:
    before = stored_files(application)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="m"\r\n\r\n'
    messages = [
        {"type": "http.request", "body": head + b"x" * 3_000_000, "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/api/v1/files", "raw_path": b"/api/v1/files", "query_string": b"", "root_path": "",
        "headers": [(b"host", b"testserver"), (b"content-type", b"multipart/form-data; boundary=b")],
        "client": ("127.0.0.1", 1), "server": ("testserver", 80),
    }  # fmt: skip
    # In a thread, since a browser's driver may hold this one's event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, application(scope, receive, send)).result()
    assert stored_files(application) == before
    assert sent == []
