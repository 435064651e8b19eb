"""The number line and its JSON: marks that are links, canonical addresses for any gesture, refusals beside fields."""

import re
import time
from fractions import Fraction
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from app.formats import find_format, format_names
from app.tasks.number_line_marks import COLUMNS
from app.wording import Language

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def page(client: TestClient, language: str = "en", *, status: int = 200, **query: str) -> str:
    query = {"from" if name == "low" else "to" if name == "high" else name: text for name, text in query.items()}
    answer = client.get(f"/{language}/numberline", params=query)
    assert answer.status_code == status, answer.text[-2000:]
    return answer.text


def api(client: TestClient, query: str, status: int = 200) -> Any:
    answer = client.get(f"/api/v1/numberline?{query}")
    assert answer.status_code == status, answer.text
    return answer.json()


def lanes(html: str) -> list[str]:
    return re.findall(r'<svg class="lane__strip" .*?</svg>\s*</div>', html, re.DOTALL)


@pytest.mark.parametrize("language", list(Language))
def test_the_first_view_teaches_at_once(client: TestClient, language: Language) -> None:
    html = page(client, language)
    assert len(lanes(html)) == 7
    assert "style=" not in html
    assert f"/{language}/inspect?bits=0x7f&amp;format=float8_e4m3fn" not in html, "NaN is no number"
    assert f"/{language}/inspect?bits=0x50&amp;format=float8_e4m3fn" in html, "8 is"


def test_every_listed_format_is_drawn_as_well_formed_svg_with_few_marks(client: TestClient) -> None:
    names = [name for name in format_names() if find_format(name).width <= 16]
    for start in range(0, len(names), 12):
        chosen = " ".join(names[start : start + 12])
        for scale in ("linear", "log"):
            html = page(client, formats=chosen, low="-3", high="300", scale=scale, value="0.3")
            for lane in lanes(html):
                strip = ET.fromstring(lane.removesuffix("</div>").strip().replace(" data-strip", ""))  # noqa: S314  ours
                links = strip.findall("a")
                assert len(links) <= COLUMNS
                named = [link.get("aria-label") or "" for link in links]
                assert len(set(named)) == len(named)
                for link in links:
                    position = float((link.find("line").get("x1") or "").rstrip("%"))  # type: ignore[union-attr]
                    assert 0 <= position <= 100


def test_neighbours_a_screen_apart_are_where_they_are(client: TestClient) -> None:
    html = page(client, formats="float64", low="1", high="0x1.0000000000001p0")
    assert re.findall(r'class="lane__hit"[^>]*/><line class="lane__stroke" x1="([^"]+)"', html) == ["0%", "100%"]
    assert "0x3ff0000000000001" in html


@pytest.mark.parametrize(
    ("select", "low", "high"),
    [("0.25,0.75", "-4", "4"), ("-0.5,1.5", "-16", "16"), ("0.5,1.5", "0", "16"), ("0.5,0.500001", "0", "0.000016")],
)
def test_a_selected_part_gets_an_address_of_its_own(client: TestClient, select: str, low: str, high: str) -> None:
    query = {"formats": "int8 nf4", "value": "1", "select": select}
    answer = client.get("/en/numberline", params=query, follow_redirects=False)
    assert answer.status_code == 303
    wanted = {"formats": ["int8 nf4"], "from": [low], "to": [high], "value": ["1"]}
    assert parse_qs(urlsplit(answer.headers["location"]).query) == wanted
    partial = client.get("/en/numberline", params=query, headers=PARTIAL)
    assert partial.status_code == 200
    assert partial.headers["hx-replace-url"] == answer.headers["location"]
    assert partial.text.lstrip().startswith("<title>")


def test_htmx_gets_the_panel_and_a_canonical_address(client: TestClient) -> None:
    query = "formats=int8&from=0&to=4&scale=linear&value="
    answer = client.get(f"/en/numberline?{query}", headers=PARTIAL)
    assert answer.headers["hx-push-url"] == "/en/numberline?formats=int8&from=0&to=4"
    panel = answer.text[answer.text.index('<div id="numberline"') :].strip()
    assert panel in client.get(f"/en/numberline?{query}").text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("formats=float7", "formats"),
        ("formats=" + "+".join(f"int{width}" for width in range(1, 20)), "formats"),
        ("from=1..2", "from"),
        ("from=nan", "from"),
        ("to=1e99999", "to"),
        ("from=3&to=2", "to"),
        ("value=inf", "value"),
        ("scale=cubic", "scale"),
        ("select=0.5", "scale"),
        ("select=0.7,0.2", "scale"),
        ("select=0,1e9", "scale"),
    ],
)
def test_a_refusal_stands_beside_its_field(client: TestClient, query: str, field: str) -> None:
    for language in Language:
        answer = client.get(f"/{language}/numberline?{query}", headers=PARTIAL)
        assert answer.status_code == 422
        assert answer.headers["hx-retarget"] == "#numberline-form"
        errors = re.findall(r'id="(\w+)-error"[^>]*><p class="field__error">([^<]+)', answer.text)
        assert [each[0] for each in errors] == [field]


def test_what_was_typed_is_kept_and_escaped(client: TestClient) -> None:
    hostile = '"><script>alert(1)</script>'
    html = page(client, status=422, low=hostile, value=hostile)
    assert "<script>alert" not in html
    assert unescape(html).count(f'value="{hostile}"') == 2


def test_every_link_that_moves_the_view_answers(client: TestClient) -> None:
    for query in (
        {"formats": "float64 posit64", "low": "-1e308", "high": "1e308", "scale": "log"},
        {"formats": "float128", "low": "0x1p-16494", "high": "0x2p-16494"},
        {"formats": "binary16p1ue", "low": "0", "high": "0x1p32767"},
        {"formats": "nf4", "low": "-1", "high": "1"},
    ):
        for href in set(re.findall(r'href="(/en/numberline[^"]*)"', page(client, **query))):
            answer = client.get(unescape(href))
            assert answer.status_code == 200, (query, href)


def test_twelve_wide_formats_answer_quickly(client: TestClient) -> None:
    wide = "float64 float32 bfloat16 float16 float128 posit8 posit32 posit64 takum_linear32 int64 float8_e5m2 nf4"
    page(client, formats=wide, low="-1e308", high="1e308", scale="log")
    start = time.process_time()
    page(client, formats=wide, low="-1e307", high="1e308", scale="log")
    assert time.process_time() - start < 0.5, "well under that on an idle core"


def test_json_counts_and_lists(client: TestClient) -> None:
    document = api(client, "formats=nf4+float64+int8&from=0&to=1&value=0.3")
    nf4, double, integer = document["formats"]
    assert document["from"] == "0"
    assert nf4["count"] == len(nf4["values"]) == 9
    assert nf4["first"] == {"hex": "0x7", "value": "0"}
    assert nf4["stored"]["hex"] == "0xb"
    assert double["values"] is None
    assert double["count"] == 1023 * 2**52 + 1
    assert Fraction(double["smallest_gap"]) == Fraction(1, 2**1074)
    assert double["largest_gap"] == str(2.0**-53) or Fraction(double["largest_gap"]) == Fraction(1, 2**53)
    assert [each["value"] for each in integer["values"]] == ["0", "1"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=0&to=1", "request.missing-parameter"),
        ("formats=int8&from=0", "request.missing-parameter"),
        ("formats=int8&from=1&to=0", "number-line.order"),
        ("formats=int8&from=0&to=inf", "number-line.finite"),
        ("formats=int8&from=0&to=1&scale=log", "request.unknown-parameter"),
        ("formats=&from=0&to=1", "formats.none"),
    ],
)
def test_json_refuses_in_a_sentence(client: TestClient, query: str, code: str) -> None:
    error = api(client, query, 422)["error"]
    assert error["code"] == code
    assert error["message"].endswith(".")
