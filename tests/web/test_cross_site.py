"""Which state-changing requests pass: the table of Sec-Fetch-Site and Origin."""

import pytest
from starlette.testclient import TestClient

OURS = "http://testserver"
PASSES, REFUSED = 201, 403


@pytest.mark.parametrize(
    ("fetch_site", "origin", "status"),
    [
        ("same-origin", OURS, PASSES),
        ("same-origin", None, PASSES),
        ("none", None, PASSES),
        ("none", "null", PASSES),
        ("same-site", OURS, REFUSED),
        ("cross-site", OURS, REFUSED),
        ("cross-site", None, REFUSED),
        ("", OURS, REFUSED),
        ("SAME-ORIGIN", OURS, REFUSED),
        (None, OURS, PASSES),
        (None, "https://testserver", PASSES),  # a proxy ends TLS: the host decides
        (None, "http://TestServer", PASSES),
        (None, "http://testserver:81", REFUSED),
        (None, "http://evil.example", REFUSED),
        (None, "http://testserver.evil.example", REFUSED),
        (None, "null", REFUSED),
        (None, "testserver", REFUSED),
        (None, "file://testserver", REFUSED),
        (None, "", REFUSED),
        (None, None, PASSES),  # no browser
    ],
)
def test_state_changes(client: TestClient, fetch_site: str | None, origin: str | None, status: int) -> None:
    given = {"Sec-Fetch-Site": fetch_site, "Origin": origin}
    headers = {name: value for name, value in given.items() if value is not None}
    answer = client.post("/api/v1/owners", headers=headers)
    assert answer.status_code == status
    if status == REFUSED:
        assert answer.json()["error"]["code"] == "request.cross-site"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_unsafe_method_is_looked_at(client: TestClient, method: str) -> None:
    answer = client.request(method, "/api/v1/files/x", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == REFUSED


def test_links_from_elsewhere_may_be_followed(client: TestClient) -> None:
    assert client.get("/en/compress", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200
