"""The same headers on every answer, whatever kind it is."""

import pytest
from starlette.testclient import TestClient

from app.web.security_headers import CONTENT_SECURITY_POLICY

ANSWERS = {
    "page": ("GET", "/en/compress", 200),
    "redirect": ("GET", "/", 302),
    "json": ("GET", "/api/v1/files", 200),
    "openapi": ("GET", "/api/v1/openapi.json", 200),
    "static": ("GET", "/static/css/tokens.css", 200),
    "static that is not there": ("GET", "/static/nothing.css", 404),
    "health": ("GET", "/healthz", 200),
    "ready": ("GET", "/readyz", 200),
    "robots": ("GET", "/robots.txt", 200),
    "not found": ("GET", "/en/nothing/here", 404),
    "not found json": ("GET", "/api/v1/nothing", 404),
    "wrong method": ("PUT", "/api/v1/files", 405),
    "unknown language": ("GET", "/fr/compress", 404),
    "too long": ("GET", "/en/compress?" + "x" * 17_000, 414),
}


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS.values(), ids=ANSWERS.keys())
def test_headers(client: TestClient, method: str, path: str, status: int) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "geolocation=()" in answer.headers["permissions-policy"]
    assert "traceback" not in answer.text.lower()


def test_a_fault_of_ours_says_nothing_of_itself(
    client: TestClient, application: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret inside")

    monkeypatch.setattr("app.tasks.workspace.Workspace.files", broken)
    for path in ("/api/v1/files", "/zh/compress"):
        answer = client.get(path)
        assert answer.status_code == 500
        assert "secret inside" not in answer.text
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert client.get("/api/v1/files").json()["error"]["code"] == "request.fault"
    assert "the secret inside" in caplog.text


def test_hosts(client: TestClient) -> None:
    assert client.get("/healthz", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/healthz", headers={"Host": "testserver@evil.example"}).status_code == 400
    assert client.get("/healthz", headers={"Host": "[::1]:8000"}).status_code == 200
    assert client.get("/healthz", headers={"Host": "localhost:1234"}).status_code == 200


def test_what_depends_on_the_owner_is_kept_by_nobody(client: TestClient) -> None:
    for path in ("/en/compress", "/en/files", "/api/v1/files", "/api/v1/files/unknown", "/zh/jobs/unknown"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "private, no-store", path
        assert "cookie" in headers["vary"].lower(), path


def test_static_files_are_kept_where_their_address_names_the_content(client: TestClient) -> None:
    page = client.get("/en/compress").text
    address = next(part.split('"')[0] for part in page.split('href="')[1:] if part.startswith("/static/css/workspace"))
    assert "immutable" in client.get(address).headers["cache-control"]
    assert "immutable" not in client.get("/static/css/workspace.css").headers["cache-control"]
    assert client.get("/static/../pyproject.toml").status_code == 404
    assert client.get("/static/%2e%2e/pyproject.toml").status_code == 404


@pytest.mark.parametrize("path", ["/en/inspect?value=0.1", "/api/v1/formats", "/static/css/tokens.css", "/en/nothing"])
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert head.status_code == whole.status_code
    assert head.content == b""
    for name in ("content-type", "content-security-policy", "cache-control"):
        assert head.headers.get(name) == whole.headers.get(name)
