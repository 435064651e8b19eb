"""Every address with an id in it, for its owner and for everybody else: the rows are made from the route table."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from app.web.application import ROUTERS

OTHERS = ("stranger", "nobody", "forged cookie", "forged bearer", "overlong cookie")


def routes(table: list[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in table:
        if isinstance(route, APIRoute) and "_id}" in route.path:
            for method in sorted(route.methods):
                yield method, route.path


ROWS = sorted({row for router in ROUTERS for row in routes(router.routes)})
"""Method and path; a new route with an id is here by itself."""


@pytest.fixture(scope="module")
def watched(application: FastAPI, scene: Any) -> tuple[TestClient, dict[str, str]]:
    """Somebody whose things nobody in this file manages to change."""
    return own_something(TestClient(application, follow_redirects=False), scene)


@pytest.fixture
def owned(client: TestClient, scene: Any) -> tuple[TestClient, dict[str, str]]:
    return own_something(client, scene)


def own_something(owner: TestClient, scene: Any) -> tuple[TestClient, dict[str, str]]:
    job_id = scene.finished(owner)
    file_id = owner.get(f"/api/v1/jobs/{job_id}").json()["file"]
    scene.look(owner, file_id)
    return owner, {"file_id": file_id, "job_id": job_id}


def ask(client: TestClient, method: str, path: str, ids: dict[str, str], **how: object) -> tuple[int, str, str]:
    address = path.format(language="en", **ids) + ("?name=layer.weight" if "/tensors" in path else "")
    body = {"data": {"scheme": "bfloat16"}} if method == "POST" else {}
    answer = client.request(method, address, **body, **how)
    return (
        answer.status_code,
        answer.text.replace(ids.get("file_id", "-"), "ID").replace(ids.get("job_id", "-"), "ID"),
        address,
    )


def test_there_are_rows() -> None:
    assert len(ROWS) >= 12
    assert {path.split("/")[1] for _, path in ROWS} == {"api", "{language}"}


@pytest.mark.parametrize("who", OTHERS)
@pytest.mark.parametrize(("method", "path"), ROWS, ids=[f"{method} {path}" for method, path in ROWS])
def test_a_foreign_id_looks_like_an_unknown_one(
    watched: tuple[TestClient, dict[str, str]],
    new_client: Callable[[], TestClient],
    who: str,
    method: str,
    path: str,
) -> None:
    owner, ids = watched
    other, how = new_client(), {}
    match who:
        case "stranger":
            secret = other.post("/api/v1/owners").json()["secret"]
            how = {"headers": {"Authorization": f"Bearer {secret}"}}
        case "forged cookie":
            other.cookies.set("owner", "A" * 43)
        case "forged bearer":
            how = {"headers": {"Authorization": "Bearer " + "A" * 43}}
        case "overlong cookie":
            other.cookies.set("owner", "A" * 5000)
    before = owner.get("/api/v1/files").json(), owner.get("/api/v1/jobs").json()
    unknown = {"file_id": "A" * 22, "job_id": "B" * 22}
    foreign_status, foreign_body, _ = ask(other, method, path, ids, **how)
    unknown_status, unknown_body, _ = ask(other, method, path, unknown, **how)
    assert foreign_status == 404
    assert (foreign_status, foreign_body) == (unknown_status, unknown_body)
    assert (owner.get("/api/v1/files").json(), owner.get("/api/v1/jobs").json()) == before


@pytest.mark.parametrize(("method", "path"), ROWS, ids=[f"{method} {path}" for method, path in ROWS])
def test_the_owner_is_served(owned: tuple[TestClient, dict[str, str]], method: str, path: str) -> None:
    owner, ids = owned
    status, body, _ = ask(owner, method, path, ids)
    assert status in {200, 204, 303}, body


def test_lists_are_each_owners_own(watched: tuple[TestClient, dict[str, str]], client: TestClient) -> None:
    owner, ids = watched
    assert [file["id"] for file in owner.get("/api/v1/files").json()["files"]] == [ids["file_id"]]
    assert client.get("/api/v1/files").json() == {"files": []}
    assert client.get("/api/v1/jobs").json() == {"jobs": []}
    assert ids["file_id"] not in client.get("/en/compress").text
    assert "owner" not in client.cookies  # looking makes no owner


def test_a_script_that_sends_an_unknown_secret_is_told(client: TestClient) -> None:
    answer = client.post("/api/v1/files", files={"file": ("a", b"x")}, headers={"Authorization": "Bearer nobody"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "owner.unknown")


def test_cookies_behind_https(build: Any, scene: Any) -> None:
    with TestClient(build(secure_cookies=True), base_url="https://testserver") as client:
        answer = client.post("/api/v1/files", files={"file": ("m", scene.small)})
        name, _, attributes = answer.headers["set-cookie"].partition("=")
        assert name == "__Host-owner"
        assert {"Secure", "HttpOnly", "Path=/"} <= set(attributes.split("; "))
        assert "Domain" not in attributes
        assert len(client.get("/api/v1/files").json()["files"]) == 1
        insecure = TestClient(
            client.app, base_url="https://testserver", cookies={"owner": client.cookies["__Host-owner"]}
        )
        assert insecure.get("/api/v1/files").json() == {"files": []}


def test_a_refused_upload_hands_out_no_cookie(client: TestClient) -> None:
    answer = client.post("/api/v1/files", files={"file": ("a.safetensors", b"x")})
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers
