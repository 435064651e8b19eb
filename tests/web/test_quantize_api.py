"""A matrix over JSON: the documented answer, numbers rounded once, and one clear sentence for whatever is wrong."""

import json
import random
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.schemes.registry import ENTRIES
from app.tasks.leaderboard import drawn_leaderboard
from app.tasks.quantize_request import COURSE_MATRIX
from app.tasks.scheme_words import read_scheme

SMALL = [[0.52, -1.31, 0.08], [2.54, -0.77, 0.19], [-1.9, 0.03, 0.66]]


def post(client: TestClient, document: object) -> Any:
    body = document if isinstance(document, str | bytes) else json.dumps(document)
    return client.post("/api/v1/quantize", content=body)


def quantize(client: TestClient, **document: object) -> dict[str, Any]:
    answer = post(client, document)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(client: TestClient, document: object) -> dict[str, Any]:
    answer = post(client, document)
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert error["message"].endswith(".")
    return error


def test_the_matrix_of_the_course(client: TestClient) -> None:
    found = quantize(client, values=SMALL, scheme="int8", granularity="tensor", scale="absmax")
    assert (found["bytes_before"], found["storage"]["codes"], found["storage"]["scales"]) == (36, 72, 32)
    assert found["element"] == "int8"
    assert [len(row) for row in found["codes"]] == [3, 3, 3]
    (scale,) = found["scales"][0]
    for row in range(3):
        for column in range(3):
            code = int(found["codes"][row][column], 16)
            level = code - 256 if code > 127 else code
            assert found["levels"][row][column] == level
            assert abs(level * scale - found["dequantized"][row][column]) < 1e-6
            assert abs(found["dequantized"][row][column] - SMALL[row][column]) <= scale / 2 * 1.001
    assert quantize(client, values=COURSE_MATRIX, scheme="int8", granularity="tensor", scale="absmax") == found


def test_zero_points_and_options(client: TestClient) -> None:
    found = quantize(client, values=SMALL, scheme="int4", granularity="channel", symmetric=False)
    assert found["element"] == "uint4"
    assert len(found["zero_points"]) == len(found["scales"]) == 3
    for row in range(3):
        (scale,), (zero,) = found["scales"][row], found["zero_points"][row]
        for code, value in zip(found["codes"][row], found["dequantized"][row], strict=True):
            assert (int(code, 16) - zero) * scale == pytest.approx(value, rel=1e-6)


def test_numbers_are_rounded_once(client: TestClient) -> None:
    # A little above the middle of two float32, by less than float64 tells: by way of float64 it would go down.
    text = '{"values": [[1.00000005960464477539062500000001, 1.000000059604644775390625]], "scheme": "int8"}'
    answer = post(client, text)
    assert answer.json()["values"] == [[1.00000011920928955078125, 1.0]]
    assert quantize(client, values=[["1/3", "0x1p-2", "2^-3"]], scheme="int8")["values"][0][1:] == [0.25, 0.125]


def test_drawn_matrices_are_the_same_everywhere(client: TestClient) -> None:
    found = quantize(client, distribution="normal", rows=2, columns=3, seed=5, scheme="int8")
    again = quantize(client, distribution="normal", rows=2, columns=3, seed=5, scheme="int4")
    assert found["values"] == again["values"]
    other = quantize(client, distribution="normal", rows=2, columns=3, seed=6, scheme="int8")
    assert other["values"] != found["values"]


def test_importance_and_rotation(client: TestClient) -> None:
    plain = quantize(client, distribution="student_t5", rows=4, columns=64, scheme="int4", granularity="channel")
    weighted = quantize(
        client,
        distribution="student_t5",
        rows=4,
        columns=64,
        scheme="int4",
        granularity="channel",
        importance=[100] + [0.01] * 63,
    )
    first = [abs(a[0] - b[0]) for a, b in zip(weighted["dequantized"], weighted["values"], strict=True)]
    before = [abs(a[0] - b[0]) for a, b in zip(plain["dequantized"], plain["values"], strict=True)]
    assert sum(first) < sum(before)
    rotated = quantize(
        client, distribution="outliers", rows=4, columns=256, scheme="int4", granularity="channel", rotation=7
    )
    straight = quantize(client, distribution="outliers", rows=4, columns=256, scheme="int4", granularity="channel")
    assert rotated["error"]["sqnr_db"] > straight["error"]["sqnr_db"]


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_each_scheme_answers_or_refuses_clearly(client: TestClient, name: str) -> None:
    answer = post(client, {"distribution": "normal", "rows": 2, "columns": 256, "scheme": name, "scale": "absmax"})
    if answer.status_code == 422:
        assert answer.json()["error"]["code"] == "scheme.option", answer.text
        answer = post(client, {"distribution": "normal", "rows": 2, "columns": 256, "scheme": name})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["bytes_after"] * 8 >= found["storage"]["total"]
    assert found["error"]["sqnr_db"] == "inf" or found["error"]["sqnr_db"] > 1


def test_the_schemes_are_listed(client: TestClient) -> None:
    listed = client.get("/api/v1/schemes").json()["schemes"]
    assert [each["name"] for each in listed] == list(ENTRIES)
    int8 = next(each for each in listed if each["name"] == "int8")
    assert (int8["granularity"], int8["layout"]) == ("channel", "compressed-tensors")
    assert "stochastic" in int8["options"]


OK = {"values": [[1, 2]], "scheme": "int8"}
WRONG: dict[str, tuple[object, str]] = {
    "no object": ([1], "json.not-object"),
    "no JSON": ("{", "json.malformed"),
    "NaN": ('{"values": [[NaN]], "scheme": "int8"}', "json.constant"),
    "twice": ('{"scheme": "int8", "scheme": "int4"}', "json.duplicate-name"),
    "nothing": ({}, "quantize.source"),
    "no scheme": ({"values": [[1]]}, "request.missing-parameter"),
    "no matrix": ({"scheme": "int8"}, "quantize.source"),
    "two matrices": ({**OK, "distribution": "normal"}, "quantize.source"),
    "unknown option": ({**OK, "granularty": "tensor"}, "options.unknown"),
    "unknown scheme": ({**OK, "scheme": "nosuch"}, "scheme.unknown"),
    "unknown rule": ({**OK, "scale": "best"}, "quantize.scale"),
    "unknown distribution": ({"distribution": "cauchy", "scheme": "int8"}, "quantize.distribution"),
    "unknown granularity": ({**OK, "granularity": "rows"}, "scheme.granularity"),
    "group of none": ({**OK, "granularity": "group=0"}, "scheme.granularity"),
    "scheme of another kind": ({**OK, "scheme": 8}, "options.type"),
    "boolean as text": ({**OK, "symmetric": "yes"}, "options.type"),
    "seed as text": ({**OK, "stochastic": "7"}, "options.type"),
    "negative seed": ({**OK, "stochastic": -7}, "options.type"),
    "seed with a point": ({**OK, "stochastic": 7.0}, "options.type"),
    "long seed": ('{"values": [[1]], "scheme": "int8", "stochastic": ' + "9" * 5000 + "}", "options.type"),
    "importance of text": ({**OK, "importance": ["1", "2"]}, "options.type"),
    "importance too short": ({**OK, "importance": [1]}, "scheme.importance"),
    "negative importance": ({**OK, "importance": [1, -1]}, "scheme.importance"),
    "infinite importance": ('{"values": [[1]], "scheme": "int8", "importance": [1e999]}', "scheme.importance"),
    "percentile of 0": ({**OK, "percentile": 0}, "quantize.percentile"),
    "percentile of 101": ({**OK, "percentile": 101}, "quantize.percentile"),
    "rows without drawing": ({**OK, "rows": 2}, "quantize.only-drawn"),
    "no rows": ({"distribution": "normal", "rows": 0, "scheme": "int8"}, "quantize.shape"),
    "empty": ({"values": [], "scheme": "int8"}, "quantize.empty"),
    "empty row": ({"values": [[]], "scheme": "int8"}, "quantize.empty"),
    "no rows but numbers": ({"values": [1, 2], "scheme": "int8"}, "quantize.rows"),
    "rows of another kind": ({"values": {"a": 1}, "scheme": "int8"}, "quantize.rows"),
    "ragged": ({"values": [[1, 2], [3]], "scheme": "int8"}, "quantize.ragged"),
    "null": ({"values": [[1, None]], "scheme": "int8"}, "quantize.cell"),
    "true": ({"values": [[1, True]], "scheme": "int8"}, "quantize.cell"),
    "a list": ({"values": [[1, [2]]], "scheme": "int8"}, "quantize.cell"),
    "no number": ({"values": [[1, "two"]], "scheme": "int8"}, "quantize.number"),
    "infinite": ({"values": [[1, "inf"]], "scheme": "int8"}, "quantize.not-finite"),
    "too large": ('{"values": [[1, 1e39]], "scheme": "int8"}', "quantize.not-finite"),
    "much too large": ('{"values": [[1, 1e999999999]], "scheme": "int8"}', "quantize.not-finite"),
    "text of no numbers": ({"values": " ; ", "scheme": "int8"}, "quantize.empty"),
    "text of words": ({"values": "one two", "scheme": "int8"}, "quantize.number"),
    "surrogate": ('{"values": "\\ud800", "scheme": "int8"}', "json.malformed"),
    "deep": ("[" * 100_000, "json.malformed"),
}


@pytest.mark.parametrize("case", sorted(WRONG))
def test_one_sentence_for_each_mistake(client: TestClient, case: str) -> None:
    document, code = WRONG[case]
    assert refusal(client, document)["code"] == code


def test_a_refusal_names_the_cell(client: TestClient) -> None:
    error = refusal(client, {"values": [[1, 2, 3], [4, "x", 6]], "scheme": "int8"})
    assert (error["detail"]["row"], error["detail"]["column"]) == (2, 2)
    assert "row 2, column 2" in error["message"]


def test_limits(client: TestClient) -> None:
    assert refusal(client, {"values": [[1] * 65_537], "scheme": "int8"})["code"] == "quantize.too-many"
    drawn = {"distribution": "normal", "rows": 999_999_999, "columns": 999_999_999, "scheme": "int8"}
    assert refusal(client, drawn)["code"] == "quantize.too-many"
    assert post(client, b" " * (2 << 20) + b"{}").status_code == 413
    whole = quantize(client, distribution="normal", rows=256, columns=256, scheme="int4", scale="absmax")
    assert len(whole["codes"]) == 256


def test_tiny_huge_and_zero_matrices(client: TestClient) -> None:
    rows = ["0 0 0 0", "1e-45 -1e-45 0 3e-45", "3.4e38 -3.4e38 1 0", "1e38 1e-38 0 -0"]
    for name, entry in ENTRIES.items():
        if entry.family == "gguf":
            continue
        for values in rows:
            answer = post(client, {"values": values, "scheme": name})
            assert answer.status_code == 200, (name, values, answer.text)


def test_hostile_bodies(client: TestClient) -> None:
    generator = random.Random(5)
    base = json.dumps({"values": [[0.5, -1], [2, 3]], "scheme": "int4", "granularity": "group=2", "stochastic": 3})
    for _ in range(300):
        at = generator.randrange(len(base))
        changed = base[:at] + generator.choice('{}[]",:e-0"1\\ ') + base[at + generator.randrange(3) :]
        assert post(client, changed).status_code in {200, 422, 413}, changed


def test_leaderboard(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    few = tuple(map(read_scheme, ("int8", "nf4", "q4_0", "int4:group=32")))
    monkeypatch.setattr("app.tasks.leaderboard.all_contenders", lambda: few)
    drawn_leaderboard.cache_clear()
    found = client.get("/api/v1/leaderboard?distribution=laplace").json()
    assert found["shape"] == [4, 256]
    assert {each["scheme"] for each in found["schemes"]} == {"int8", "nf4", "q4_0", "int4:group=32"}
    gaps = [each["gap_db"] for each in found["schemes"]]
    assert gaps == sorted(gaps)
    assert sorted(each["rank_by_sqnr"] for each in found["schemes"]) == [1, 2, 3, 4]
    for query in ("distribution=cauchy", "rows=9", "distribution=normal&distribution=normal"):
        assert client.get(f"/api/v1/leaderboard?{query}").status_code == 422
    drawn_leaderboard.cache_clear()
