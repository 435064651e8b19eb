"""Which language a reader gets, and that the choice is remembered."""

import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    ("accepted", "leads_to"),
    [
        (None, "/en/inspect"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "/zh/inspect"),
        ("zh-Hans-CN", "/zh/inspect"),
        ("fr-FR, zh;q=0.3, en;q=0.8", "/en/inspect"),
        ("en;q=0.2, zh;q=0.3", "/zh/inspect"),
        ("fr", "/en/inspect"),
        ("zh;q=0", "/en/inspect"),
        ("zh;q=nan, en;q=inf", "/en/inspect"),
        (";;;,,q=,zh;q=x" * 100, "/en/inspect"),
    ],
)
def test_the_start_leads_to_the_readers_language(client: TestClient, accepted: str | None, leads_to: str) -> None:
    answer = client.get("/", headers={"Accept-Language": accepted} if accepted else {})
    assert (answer.status_code, answer.headers["location"]) == (302, leads_to)


def test_the_last_page_read_is_remembered(client: TestClient) -> None:
    client.get("/zh/compress")
    assert client.get("/", headers={"Accept-Language": "en"}).headers["location"] == "/zh/inspect"
    client.get("/en/compress")
    assert client.get("/", headers={"Accept-Language": "zh"}).headers["location"] == "/en/inspect"


def test_a_forged_choice_counts_for_nothing(client: TestClient) -> None:
    client.cookies.set("language", "../x")
    assert client.get("/").headers["location"] == "/en/inspect"


@pytest.mark.parametrize("path", ["/fr/", "/EN/", "/en-GB/compress", "/xx/files/1"])
def test_unknown_languages_are_unknown_addresses(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_refusals_are_in_the_language_of_the_address(client: TestClient) -> None:
    assert "没有" in client.get("/zh/nothing/here").text
    assert 'lang="en"' in client.get("/en/nothing/here").text
    assert client.get("/api/v1/nothing", headers={"Accept-Language": "zh"}).json()["error"]["message"].isascii()
