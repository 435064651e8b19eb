"""The Designer: choices become the address of a format, contradictions stand beside their control, constants go."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from app.wording import Language

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
E5M10 = "exponent=5&mantissa=10&specials=ieee&beside=float16"


def page(client: TestClient, query: str = "", language: str = "en", status: int = 200) -> str:
    answer = client.get(f"/{language}/designer?{query}", follow_redirects=False)
    assert answer.status_code == status, answer.text[-2000:]
    return answer.text


def designed(html: str) -> str:
    found = re.search(r'id="designed">([^<]+)<', html)
    assert found
    return unescape(found[1])


@pytest.mark.parametrize("language", list(Language))
def test_the_first_view_is_a_design_beside_a_known_float(client: TestClient, language: Language) -> None:
    html = page(client, language=language)
    assert designed(html) == "e4m3:specials=ieee"
    assert f'href="/{language}/formats/float8_e4m3fn"' in html
    assert "style=" not in html
    assert "#define FLOAT_E4M3_SPECIALS_IEEE_MAX 0x1.ep+7" in html
    assert "MAX = 15 * Fraction(2) ** 4" in html
    assert f"/{language}/inspect?bits=0x38&amp;format=e4m3%3Aspecials%3Dieee" in html


@pytest.mark.parametrize(
    ("query", "name"),
    [
        (E5M10, "e5m10"),
        ("exponent=4&mantissa=3&bias=&specials=nan-only", "e4m3:specials=nan-only"),
        (
            "exponent=8&mantissa=0&specials=nan-only&unsigned=yes&subnormals=no&zero=no",
            "e8m0:specials=nan-only:unsigned:no-subnormals:no-zero",
        ),
        (
            "exponent=5&mantissa=2&bias=16&specials=nan-only&negative_zero=no",
            "e5m2:bias=16:specials=nan-only:no-negative-zero",
        ),
        ("exponent=15&mantissa=112", "e15m112"),
        ("exponent=0&mantissa=7", "e0m7"),
    ],
)
def test_choices_become_the_address_of_their_format(client: TestClient, query: str, name: str) -> None:
    answer = client.get(f"/en/designer?{query}", follow_redirects=False)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert parse_qs(urlsplit(address).query)["format"] == [name]
    assert designed(client.get(address).text) == name
    partial = client.get(f"/en/designer?{query}", headers=PARTIAL)
    assert partial.headers["hx-replace-url"] == address
    assert designed(partial.text) == name
    assert partial.text[partial.text.index('<div id="designer"') :].strip() in client.get(address).text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("exponent=16", "exponent"),
        ("mantissa=999", "mantissa"),
        ("bias=x", "bias"),
        ("exponent=4&mantissa=3&bias=60000", "bias"),
        ("exponent=0&mantissa=3&specials=ieee", "specials"),
        ("specials=odd", "specials"),
        ("exponent=0&mantissa=0&specials=none", "mantissa"),
        ("zero=no", "zero"),
        ("zero=perhaps", "zero"),
        ("unsigned=yes&negative_zero=no", "negative_zero"),
        ("exponent=0&mantissa=3&subnormals=no&specials=none", "subnormals"),
        ("format=int8", "format"),
        ("format=e99m1", "format"),
        ("format=e5m10&beside=int8", "beside"),
    ],
)
def test_a_contradiction_stands_beside_its_control_over_the_last_good_card(
    client: TestClient, query: str, field: str
) -> None:
    for language in Language:
        answer = client.get(f"/{language}/designer?{query}&last=e5m10", headers=PARTIAL)
        assert answer.status_code == 422
        assert answer.headers["hx-retarget"] == "#designer-form"
        errors = re.findall(r'id="(\w+)-error"[^>]*><p class="field__error">([^<]+)', answer.text)
        assert [each[0] for each in errors] == [field]
    assert designed(page(client, f"{query}&last=e5m10", status=422)) == "e5m10"


def test_what_was_chosen_stays_in_the_controls_of_a_refusal(client: TestClient) -> None:
    html = page(client, "exponent=0&mantissa=3&specials=ieee&unsigned=yes&bias=%22%3E%3Cscript%3E", status=422)
    assert "<script>" not in html.replace("<script src", "")
    assert 'name="exponent" min="0" max="15" step="1" value="0"' in html
    assert re.search(r'name="unsigned" value="yes" checked', html)


def test_every_step_and_start_answers(client: TestClient) -> None:
    for query in ("format=e15m112", "format=e0m1", "format=e8m0:specials=nan-only:unsigned:no-subnormals:no-zero", ""):
        hrefs = set(
            re.findall(r'href="(/en/(?:designer|numberline|compare|formats|inspect)[^"#]*)"', page(client, query))
        )
        assert len(hrefs) > 8
        for href in hrefs:
            if "bits=" not in href:
                assert client.get(unescape(href)).status_code == 200, href


@pytest.mark.parametrize(("suffix", "kind"), [("h", "text/x-c"), ("py", "text/x-python")])
def test_constants_are_downloads(client: TestClient, suffix: str, kind: str) -> None:
    answer = client.get(f"/zh/designer.{suffix}?format=e4m3:bias=-2")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(kind)
    assert answer.headers["content-disposition"] == f'attachment; filename="e4m3_bias_minus_2.{suffix}"'
    assert "e4m3:bias=-2" in answer.text
    assert client.get(f"/en/designer.{suffix}").status_code == 422
    assert client.get(f"/en/designer.{suffix}?format=int8").status_code == 422


def test_wide_designs_have_no_map_and_narrow_ones_mirror(client: TestClient) -> None:
    assert 'id="designer-map"' not in page(client, "format=e8m23:bias=3")
    narrow = page(client, "format=e3m2")
    assert narrow.count('class="map-part"') == 2
    assert "The negative numbers are the same" in narrow
