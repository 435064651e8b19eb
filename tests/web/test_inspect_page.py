"""The Inspect and Formats pages: every kind of view in both languages, page and partial, permalinks and refusals."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from fastapi import FastAPI
from jinja2 import nodes
from starlette.testclient import TestClient

from app.formats import FloatFormat, find_format, format_names
from app.settings import Settings
from app.web.application import create_app
from app.web.pages.inspect_view import InspectPage
from app.web.rendering import template_directory
from app.wording import Language

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
VIEWS = {
    "inspect.html": InspectPage,
    "_inspect_title.html": InspectPage,
    "_inspect_partial.html": InspectPage,
    "_inspect_panel.html": InspectPage,
    "_inspect_form.html": InspectPage,
    "_inspect_blank.html": InspectPage,
    "_inspect_answer.html": InspectPage,
    "_inspect_reading.html": InspectPage,
    "_inspect_rounding.html": InspectPage,
    "_inspect_witnesses.html": InspectPage,
    "_inspect_elsewhere.html": InspectPage,
}
VALUES = (
    *("0.1", "-127", "0", "-0", "1e-44", "1e999999999", "-1e-999999999", "inf", "0x1.8p3", "2049.5"),
    # Far away and typed in hexadecimal: the error is written so too.
    *("0x1p-99999", "-0xA.8p-4373", "0x1p99999"),
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("inspect"), allowed_hosts=("testserver",)))


@pytest.fixture(scope="module")
def reader(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def stored(html: str) -> str:
    """The large figure, as a reader copies it."""
    found = re.search(r'id="stored">(.*?)</p>', html, re.DOTALL)
    assert found
    return unescape(re.sub(r"<[^>]+>", "", found[1])).strip()


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", format_names())
def test_every_format_shows_every_kind_of_number(reader: TestClient, name: str, language: Language) -> None:
    for value in VALUES:
        page = reader.get(f"/{language}/inspect", params={"value": value, "format": name})
        assert page.status_code == 200, (value, page.text[-2000:])
        assert f'lang="{language.tag}"' in page.text
    number_format = find_format(name)
    if isinstance(number_format, FloatFormat) and number_format.has_nan:
        assert stored(reader.get(f"/{language}/inspect?value=nan&format={name}").text) == "NaN"


def test_the_landing_page_has_an_answer(reader: TestClient) -> None:
    page = reader.get("/en/inspect")
    assert stored(page.text) == "0.10009765625"
    assert 'href="/en/inspect?bits=0x3dcc&amp;format=bfloat16"' in page.text
    assert "<title>0.1 in bfloat16 · Bitlens</title>" in page.text


def test_a_code_keeps_no_error_and_names_its_exact_value(reader: TestClient) -> None:
    page = reader.get("/en/inspect?bits=0x3dcd&format=bf16").text
    assert 'name="value" value="0.10009765625"' in page
    assert "The exact value of this code." in page
    assert "Rounding error" not in page


def test_htmx_gets_the_panel_and_the_page_contains_the_same(reader: TestClient) -> None:
    address = "/en/inspect?value=-127&format=int8"
    page, partial = reader.get(address), reader.get(address, headers=PARTIAL)
    assert "<header" not in partial.text
    panel = partial.text[partial.text.index('<div id="inspect"') :].strip()
    assert panel in page.text
    assert {"HX-Request", "HX-Request-Type"} <= {each.strip() for each in partial.headers["vary"].split(",")}


def test_a_refusal_is_422_beside_its_field_and_keeps_what_was_typed(reader: TestClient) -> None:
    hostile = '"><script>alert(1)</script>'
    page = reader.get("/en/inspect", params={"value": hostile, "format": "float16"})
    assert page.status_code == 422
    assert "<script>alert" not in page.text
    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page.text
    assert page.text.count("cell--blank") == 16
    error = page.text[page.text.index('id="value-error"') :]
    assert error.index("field__error") < error.index("</div>")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("value=12..5", "value"),
        ("value=", "value"),
        ("bits=0x1ffff&format=bfloat16", "code"),
        ("bits=hello", "code"),
        ("value=1&format=float17", "format"),
        ("value=1&rounding=sideways", "rounding"),
        ("value=1&format=float32&overflow=sideways", "overflow"),
        ("value=nan&format=int8", "value"),
    ],
)
def test_a_refusal_for_htmx_replaces_the_fields_alone(reader: TestClient, query: str, field: str) -> None:
    for language in Language:
        answer = reader.get(f"/{language}/inspect?{query}", headers=PARTIAL)
        assert answer.status_code == 422
        assert answer.headers["hx-retarget"] == "#inspect-form"
        assert 'id="answer"' not in answer.text
        errors = re.findall(r'id="(\w+)-error"[^>]*>\s*<p class="field__error">([^<]+)', answer.text)
        assert [each[0] for each in errors] == [field]


def test_the_caret_stands_under_the_character(reader: TestClient) -> None:
    page = reader.get("/en/inspect?value=12..5").text
    assert re.search(r'<pre class="field__caret"[^>]*>12\.\.5\n   \^</pre>', page)
    long = "1" * 200 + "x"
    excerpt = re.search(
        r'<pre class="field__caret"[^>]*>(.*?)\n( *\^)</pre>', reader.get(f"/en/inspect?value={long}").text
    )
    assert excerpt
    assert excerpt[1][len(excerpt[2]) - 1] == "x"


@pytest.mark.parametrize("language", list(Language))
def test_the_formats_and_their_cards(reader: TestClient, language: Language) -> None:
    table = reader.get(f"/{language}/formats").text
    for name in format_names():
        assert f'href="/{language}/formats/{name}"' in table
        assert reader.get(f"/{language}/formats/{name}").status_code == 200
    assert reader.get(f"/{language}/formats/bf16").status_code == 200
    assert reader.get(f"/{language}/formats/float17").status_code == 404


def test_no_inline_script_style_or_handler(reader: TestClient) -> None:
    for address in ("/en/inspect", "/zh/inspect?value=x", "/en/formats", "/en/formats/int8"):
        html = reader.get(address).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", html), address


def test_each_static_file_is_addressed_by_its_content_and_kept(reader: TestClient) -> None:
    html = reader.get("/en/inspect").text
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', html)
    assert len(addresses) >= 8
    for address in addresses:
        answer = reader.get(unescape(address))
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"], address


def test_the_theme_form_sets_a_cookie_and_leads_back_here_only(reader: TestClient) -> None:
    form = {"theme": "dark", "return_to": "/en/inspect?value=1"}
    answer = reader.post("/en/theme", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/inspect?value=1")
    assert "theme=dark" in answer.headers["set-cookie"]
    for elsewhere in ("//evil.example/", "https://evil.example/", "/en/\\evil", "/en/\r\nX: y", "/zh/inspect"):
        answer = reader.post("/en/theme", data={**form, "return_to": elsewhere}, follow_redirects=False)
        assert answer.headers["location"] == "/en/inspect"
    assert reader.post("/en/theme", data={**form, "theme": "pink"}).status_code == 422
    reader.cookies.clear()


def names_of_view(tree: nodes.Template) -> set[str]:
    return {
        node.attr
        for node in tree.find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "view"
    }


def test_templates_name_only_what_their_view_has(app: FastAPI) -> None:
    environment = app.state.rendering.environments[Language.ENGLISH]
    for path in Path(template_directory()).rglob("*.html"):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        view = VIEWS.get(path.name)
        if view is not None:
            assert names_of_view(tree) <= {field.name for field in dataclasses.fields(view)}, path.name


def test_a_choice_that_the_format_does_not_have_is_dropped(reader: TestClient) -> None:
    asked = "/zh/inspect?value=300&format=float16&rounding=toward_zero&overflow=wrap"
    answer = reader.get(asked, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/zh/inspect?value=300&format=float16&rounding=toward_zero"
    assert reader.get("/zh/inspect?value=300&format=int8&overflow=wrap", follow_redirects=False).status_code == 200


@pytest.mark.parametrize("name", format_names())
def test_the_picture_to_take_away_stands_alone_and_keeps_inside_its_frame(reader: TestClient, name: str) -> None:
    page = reader.get(f"/zh/inspect?value=1&format={name}").text
    href = re.search(r'href="(/zh/inspect\.svg\?[^"]+)" download="bitlens-([^"]+)\.svg"', page)
    assert href is not None
    assert href[2].startswith(f"{name}-0x")
    answer = reader.get(unescape(href[1]))
    assert answer.headers["content-type"].startswith("image/svg+xml")
    picture = ET.fromstring(answer.text)  # noqa: S314  # our own picture
    assert not re.search(r"style|href|class=|<script", answer.text)
    width, height = float(picture.get("width", 0)), float(picture.get("height", 0))
    boxes = picture.findall("{http://www.w3.org/2000/svg}rect")
    assert len(boxes) == 1 + find_format(name).width
    for box in boxes:
        x, y = float(box.get("x", 0)), float(box.get("y", 0))
        assert x + float(box.get("width", 0)) <= width
        assert y + float(box.get("height", 0)) <= height


def test_a_picture_of_no_number_is_refused(reader: TestClient) -> None:
    assert reader.get("/en/inspect.svg?value=12..5").status_code == 422


@pytest.mark.parametrize(
    ("query", "caption"),
    [
        ("value=0.1", "The typed number lies 20\u202f% of the way from the stored number to the next below."),
        ("value=-0.1", "The typed number lies 20\u202f% of the way from the stored number to the next above."),
        ("value=0.5", "The typed number is exactly the stored one."),
        ("value=300&format=int8&overflow=wrap", "The typed number lies outside this picture."),
        ("bits=0x3dcd", "The stored number lies between its two neighbours."),
        ("value=1.0000000001&format=bfloat16", "The typed number lies &lt;\u202f0.01\u202f% of the way"),
    ],
)
def test_the_number_line_is_said_in_words(reader: TestClient, query: str, caption: str) -> None:
    page = reader.get(f"/en/inspect?{query}").text
    assert f'<svg class="chart number-line" role="img" aria-label="{caption}' in page
    assert f'<figcaption class="chart-caption">{caption}' in page


def test_numbers_in_the_steps_are_set_as_figures(reader: TestClient) -> None:
    page = reader.get("/en/inspect?value=0.1&format=float64").text
    steps = re.search(r'<ol class="steps">(.*?)</ol>', page, re.DOTALL)
    assert steps is not None
    assert '<span class="group">1.1001</span><wbr><span class="group">1001</span>' in steps[1]
    assert '0<span class="group">.100</span><span class="group">000</span>' in steps[1]
    assert "0.1000000000000000055" not in re.sub("<[^>]+>", "", steps[1]), "the middle is left out"


def test_every_field_of_a_view_is_shown(app: FastAPI) -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in template_directory().rglob("*.html"))
    source = Path(__file__).parents[2] / "app" / "web" / "pages"
    for module in ("inspect_form.py", "inspect_view.py", "formats.py", "bit_row.py", "number_line.py"):
        for node in ast.walk(ast.parse((source / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name != "Asked":
                fields = [each.target.id for each in node.body if isinstance(each, ast.AnnAssign)]
                assert [name for name in fields if f".{name}" not in text] == [], node.name


FAMILIES = {
    "posit16": "sign regime exponent fraction",
    "posit12:es=1": "sign regime exponent fraction",
    "takum_linear16": "sign direction regime characteristic fraction",
    "float80": "sign exponent integer-bit mantissa",
    "float128": "sign exponent mantissa",
    "q7.8": "integer fraction",
    "uq0.8": "fraction",
    "int8:sign-magnitude": "sign magnitude",
    "int8:ones-complement": "ones-complement",
    "int100": "twos-complement",
    "uint128": "unsigned",
    "nf4": "index",
    "bool": "truth",
    "binary8p3se": "sign exponent mantissa",
    "binary8p1uf": "exponent",
    "e4m3:bias=8:specials=nan-only": "sign exponent mantissa",
}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize(("name", "fields"), FAMILIES.items())
def test_every_family_has_its_fields_and_its_cells(
    reader: TestClient, name: str, fields: str, language: Language
) -> None:
    number_format = find_format(name)
    page = reader.get(f"/{language}/inspect", params={"value": "0.1", "format": name}).text
    row = page[page.index('<div class="bits ') : page.index('<div class="hero__stored"')]
    assert [each.split()[0] for each in re.findall(r"bits__field bits__field--([a-z -]+)", row)] == fields.split()
    assert row.count('<a class="cell ') == number_format.width
    assert row.count('id="bit-') == number_format.width
    assert f'id="bit-{number_format.width - 1}"' in row
    weighted = number_format.family in ("integer", "fixed-point", "boolean")
    assert ("cell__weight" in row) is weighted
    assert ("bits--weights" in row) is weighted


def test_an_unlisted_format_stands_in_the_list_as_ones_own(reader: TestClient) -> None:
    page = reader.get("/en/inspect?value=0.1&format=E5M10").text
    assert '<optgroup label="Your format">' in page
    assert re.search(r'<optgroup label="Your format">\s*<option selected>e5m10</option>', page)
    assert 'id="other-format" name="format" value="e5m10"' in page
    listed = reader.get("/en/inspect?value=0.1&format=half").text
    assert "Your format" not in listed
    assert listed.count("<option selected>float16</option>") == 1
    names = re.findall(r"<option(?: selected)?>([^<]+)</option>", listed)
    assert sorted(names) == sorted(format_names())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("e9m999", "m cannot be 999."),
        ("mxfp4", "mxfp4 is a block format"),
        ("float17", "There is no format named “float17”."),
    ],
)
def test_a_name_that_names_no_format_is_refused_beside_its_field(reader: TestClient, name: str, sentence: str) -> None:
    page = reader.get("/en/inspect", params={"value": "0.5", "format": name})
    assert page.status_code == 422
    field = page.text[page.text.index('<details class="disclosure ask__other" open>') :]
    assert f'value="{name}"' in field[: field.index("</form>")]
    assert sentence in field[: field.index("</form>")]
    assert 'id="value" name="value" value="0.5"' in page.text


@pytest.mark.parametrize(
    ("query", "shown", "words"),
    [
        ("bits=0x8000&format=posit16", "NaR", "NaR, not a real"),
        ("value=1/0x0p0&format=posit16", "", ""),
        ("bits=0x3fff7000000000000000&format=float80", "–", "a code without meaning"),
        ("bits=0x7fff0000000000000000&format=float80", "–", "A pseudo-infinity"),
        ("bits=11&format=codebook:-1,0,1", "–", "lies behind the last"),
        ("bits=0x80&format=int8:sign-magnitude", "−0", "integer"),
        ("bits=0xff&format=int8:ones-complement", "−0", "minus zero"),
        ("value=-0&format=float128", "−0", "zero"),
        ("bits=0x80&format=binary8p3se", "NaN", "NaN"),
    ],
)
def test_codes_out_of_the_ordinary(reader: TestClient, query: str, shown: str, words: str) -> None:
    page = reader.get(f"/en/inspect?{query}")
    if not shown:
        assert page.status_code == 422
        return
    assert stored(page.text) == shown
    assert words in re.sub(r"<[^>]+>", "", page.text)


def test_the_slip_of_int8_stays_told(reader: TestClient) -> None:
    page = reader.get("/en/inspect?bits=10000001&format=int8").text
    assert stored(page) == "−127"
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page)).replace("−", "-")
    assert "-128 + 1 = -127" in text
    assert "the top bit weighs -128" in text


@pytest.mark.parametrize(
    ("bits", "formula"), [("0x80", "−1 × 0 = −0"), ("0x83", "−1 × (2 + 1) = −3"), ("0x00", "No bit is set: 0.")]
)
def test_a_set_sign_of_sign_magnitude_is_in_the_formula(reader: TestClient, bits: str, formula: str) -> None:
    page = reader.get(f"/en/inspect?bits={bits}&format=int8:sign-magnitude").text
    assert formula in " ".join(re.sub(r"<[^>]+>", "", page).split())
