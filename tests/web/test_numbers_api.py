"""One number over JSON, and hostile text in its place: an answer or a clear refusal, never a fault."""

import time
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient


def inspect(client: TestClient, **query: str) -> dict:
    answer = client.get("/api/v1/inspect", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_by_value(client: TestClient) -> None:
    found = inspect(client, value="0.1", format="bfloat16")
    assert (found["hex"], found["bits"], found["class"]) == ("0x3dcd", "0011110111001101", "normal")
    assert (found["value"], found["fraction"]) == ("0.10009765625", "205/2048")
    assert [field["name"] for field in found["fields"]] == ["sign", "exponent", "mantissa"]


def test_by_bits(client: TestClient) -> None:
    found = inspect(client, bits="0x3dcd", format="bfloat16")
    assert (found["value"], found["error"]) == ("0.10009765625", None)


def test_rounded_once(client: TestClient) -> None:
    assert inspect(client, value="2049.00000000000000000000001", format="float16")["value"] == "2050"
    assert inspect(client, value="1.0000000596046447753906250000000001", format="float32")["hex"] == "0x3f800001"
    assert inspect(client, value="18446744073709551615", format="uint64")["value"] == "18446744073709551615"


def test_formats(client: TestClient) -> None:
    listed = client.get("/api/v1/formats").json()
    assert "bfloat16" in str(listed)
    card = client.get("/api/v1/formats/bf16").json()
    assert card["name"] == "bfloat16"
    assert card["bias"] == 127


HOSTILE = {
    "digits to the limit": "9" * 4096,
    "beyond the limit": "9" * 4097,
    "hex digits": "0x" + "f" * 4000,
    "binary digits": "0b" + "1" * 4000,
    "huge exponent": "1e999999999",
    "huger exponent": "1e9999999999999999999",
    "small exponent": "-1e-999999999999",
    "many zeros": "0." + "0" * 3000 + "1",
    "underscores": "1_000",
    "superscript": "²",
    "infinity sign": "∞",
    "true minus": "−1",
    "no-break space": "\u00a01",
    "zero-width space": "1\u200b",
    "nul": "1\0",
    "newline": "1\r\nX: y",
    "nan payload": "nan(0x123)",
    "signalling": "snan",
    "negative nan": "-nan",
    "overflow": "1e400",
    "minus nothing": "-1e-400",
    "hex float": "0x1p99999999999999999999",
    "power": "9**9**9",
    "caret": "9^9^9",
    "shift": "1<<10**9",
    "factorial": "10!",
    "code": "__import__('os')",
    "template": "{{7*7}}${7*7}%s%n",
    "script": "<script>alert(1)</script>",
    "attribute": "\"onfocus=alert(1) x='",
    "empty": "",
    "spaces": " " * 4096,
    "point": ".",
    "sign": "-",
    "half exponent": "1e+",
    "two points": "1.2.3",
    "two signs": "+-1",
    "octal": "0o17",
    "bare prefix": "0x",
    "comma": "1,5",
    "surrogate": "\udcff",
    "emoji": "💥",
    "full-width": "１２",
    "arabic": "٣",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_numbers(client: TestClient, text: str) -> None:
    value = quote(text.encode("utf-8", "surrogateescape"))
    for number_format in ("float16", "int8", "uint64"):
        begun = time.perf_counter()
        answer = client.get(f"/api/v1/inspect?format={number_format}&value={value}")
        assert time.perf_counter() - begun < 1
        assert answer.status_code in {200, 422}, answer.text
        if answer.status_code == 422:
            assert answer.json()["error"]["message"].strip()
        page = client.get(f"/zh/inspect?format={number_format}&value={value}")
        assert page.status_code in {200, 422}
        assert "<script>alert" not in page.text
        assert '"onfocus' not in page.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "inspect.value-or-bits"),
        ("value=1", "request.missing-parameter"),
        ("value=1&bits=0x1&format=int8", "inspect.value-or-bits"),
        ("value=1&value=2&format=int8", "request.repeated-parameter"),
        ("value=1&format=int8&formt=int4", "request.unknown-parameter"),
    ],
)
def test_parameters(client: TestClient, query: str, code: str) -> None:
    answer = client.get(f"/api/v1/inspect?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", "float32; DROP"), ("format", "__class__"), ("format", "FLOAT9999"), ("format", "i0"),
        ("format", "../../etc/passwd"), ("format", "x" * 5000), ("format", ""), ("format", "\0"),
        ("bits", "0x"), ("bits", "0xfffff"), ("bits", "-1"), ("bits", "1" * 4000), ("bits", "2"), ("bits", "0x1g"),
        ("rounding", "up"), ("rounding", "x" * 5000), ("overflow", "explode"), ("overflow", "wrap"),
    ],
)  # fmt: skip
def test_hostile_choices(client: TestClient, name: str, value: str) -> None:
    query = {"format": "bfloat16", **({} if name == "bits" else {"value": "1"}), name: value}
    answer = client.get("/api/v1/inspect", params=query)
    assert answer.status_code in {404, 422}, answer.text
    assert client.get("/en/inspect", params=query).status_code < 500
    if name == "format":
        assert client.get(f"/api/v1/formats/{quote(value, safe='')}").status_code in {200, 404}
