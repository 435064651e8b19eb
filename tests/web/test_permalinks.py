"""Addresses on the Inspect page lead to what they stand beside."""

import re
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.settings import Settings
from app.web.application import create_app


@pytest.fixture
def reader(tmp_path: Path) -> TestClient:
    return TestClient(create_app(Settings(data_dir=tmp_path, allowed_hosts=("testserver",))))


@pytest.mark.parametrize(
    "asked",
    [
        {"value": "1E+5", "format": "float32", "overflow": "saturate"},
        {"value": "+inf", "format": "int8", "overflow": "saturate"},
        {"value": "-1e30", "format": "int8", "overflow": "wrap", "rounding": "toward_negative"},
        {"value": " 1e999 ", "format": "float16", "rounding": "toward_zero"},
        {"bits": "0x7c01", "format": "float16"},
    ],
    ids=str,
)
def test_the_same_number_elsewhere(reader: TestClient, asked: dict[str, str]) -> None:
    page = reader.get("/en/inspect", params=asked).text
    rows = reader.get("/api/v1/inspect", params=asked).json()["elsewhere"]
    addresses = [unescape(href) for href in re.findall(r'href="(/en/inspect\?[^"]+)"', page)]
    for row in rows:
        (address,) = {each for each in addresses if re.search(rf"value=.*format={row['format']}(&|$)", each)}
        there = reader.get(address.replace("/en/", "/api/v1/")).json()
        assert there.get("hex") == row["hex"], address
