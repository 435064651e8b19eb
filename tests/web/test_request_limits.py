"""Addresses and bodies beyond what any page of ours makes."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

LIMIT = 64 * 1024


def pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 1024):
        yield b" " * 1024


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/en/files/x", "/zh/jobs/x/end", "/api/v1/owners"])
def test_a_chunked_body_is_cut_off(client: TestClient, path: str) -> None:
    answer = client.post(
        path, content=pieces(LIMIT + 4096), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    # A route that does not read its body answers without it; none may hold it all.
    assert answer.status_code in ({413} if path in {"/api/v1/jobs", "/en/files/x"} else {404, 201})


def test_a_declared_length_is_refused_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/api/v1/owners", content=b"x" * (LIMIT + 1))
    assert answer.status_code == 413
    assert answer.json()["error"]["detail"] == {"limit": LIMIT}


@pytest.mark.parametrize("declared", ["-1", "abc", "9" * 40, "1e9", "٣"])
def test_odd_declared_lengths(client: TestClient, declared: str) -> None:
    headers = {"content-length": declared.encode()} if not declared.isascii() else {"content-length": declared}
    assert client.post("/api/v1/owners", headers=headers).status_code in {201, 413}


def test_addresses(client: TestClient) -> None:
    assert client.get("/api/v1/formats?x=" + "1" * 16_400).status_code == 414
    assert client.get("/" + "a" * 16_400).status_code == 414
    many = client.get("/api/v1/files?" + "&".join(f"x{i}=1" for i in range(100)))
    assert many.status_code == 422
    assert many.json()["error"]["code"] == "request.too-many-parameters"


@pytest.mark.parametrize(
    "path", ["/favicon.ico", "/robots.txt", "//", "/%00", "/en/%ff", "/en//", "/%2e%2e/etc/passwd", "/.env"]
)
def test_what_strangers_ask_for(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in {200, 302, 404}
