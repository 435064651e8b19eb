"""The table, the card, the code table and the map of formats, as pages and as JSON, in both languages."""

import ast
import dataclasses
import json
import re
from collections.abc import Iterator
from fractions import Fraction
from html import unescape
from pathlib import Path
from time import process_time
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, nodes
from starlette.testclient import TestClient

from app.cli.program import main
from app.errors import InvalidInput
from app.formats import BLOCKS, CATALOG, find_any_format, find_format
from app.settings import Settings
from app.web.application import create_app
from app.web.pages.formats import FormatsPage
from app.web.pages.formats_card import FormatCardPage
from app.web.pages.formats_codes import CodesPage
from app.web.pages.formats_map import MapPage
from app.web.rendering import template_directory
from app.wording import Language

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
VIEWS = {
    "formats.html": FormatsPage,
    "_formats_found.html": FormatsPage,
    "format.html": FormatCardPage,
    "_format_block.html": FormatCardPage,
    "_format_facts.html": FormatCardPage,
    "_format_landmarks.html": FormatCardPage,
    "_format_libraries.html": FormatCardPage,
    "format_codes.html": CodesPage,
    "format_map.html": MapPage,
    "_format_cells.html": MapPage,
    "_format_binades.html": MapPage,
}
NAMES = tuple(each.name for each in (*CATALOG, *BLOCKS))
SPELLED = (
    *("e5m10", "e4m3:bias=8:specials=nan-only", "e15m112", "e0m3", "e2m3:bias=-40", "e3m2:unsigned:no-subnormals"),
    *("int5", "int128", "int4:ones-complement", "uint1", "posit12:es=1", "posit2", "takum_linear12", "q0.127"),
    *("uq1.0", "codebook:-1,0,1", "codebook:" + ",".join(f"{index / 7:.12f}" for index in range(256))),
)
LANGUAGES = list(Language)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("formats"), allowed_hosts=("testserver",)))


@pytest.fixture(scope="module")
def reader(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


def words(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", "", html)))


def links(html: str, start: str) -> list[str]:
    return [unescape(href) for href in re.findall(r'href="([^"]+)"', html) if unescape(href).startswith(start)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_has_every_format_and_every_link_leads_somewhere(reader: TestClient, language: Language) -> None:
    table = reader.get(f"/{language}/formats").text
    cards = set(links(table, f"/{language}/formats/"))
    assert {f"/{language}/formats/{name}" for name in NAMES} <= cards
    assert all(reader.get(card).status_code == 200 for card in cards)
    assert all(reader.get(href).status_code == 200 for href in links(table, f"/{language}/formats?"))


@pytest.mark.parametrize("name", [*NAMES, *SPELLED], ids=lambda name: name[:40])
def test_every_card_is_shown_and_its_own_pages_with_it(reader: TestClient, name: str) -> None:
    found = find_any_format(name)
    path, width = quote(found.name, safe=":=,"), found.width
    language = LANGUAGES[len(name) % 2]  # either one is seen by half of the formats
    card = reader.get(f"/{language}/formats/{quote(name)}")
    assert card.status_code == 200, words(card.text)[-300:]
    own = links(card.text, f"/{language}/formats/")
    assert (f"/{language}/formats/{path}/codes" in own) is (found not in BLOCKS and width <= 16)
    for href in own:
        if href.startswith(f"/{language}/formats/{path}/"):
            assert reader.get(href).status_code == 200, href
    document = reader.get(f"/api/v1/formats/{path}").json()
    assert document["name"] == found.name
    assert document["width"] == width


def test_a_card_says_what_the_format_can_do(reader: TestClient) -> None:
    card = words(reader.get("/en/formats/half").text)
    for said in ("65504", "infinity from 65520", "torch.float16", "2046", "63487", "IEEE 754-2019", "0x7c01"):
        assert said in card, said
    assert "Stored in32 bits" in words(reader.get("/en/formats/tf32").text)
    assert "Same numbers asfloat16 code by code" in words(reader.get("/en/formats/e5m10").text)
    assert "NaN beyond 464" in words(reader.get("/en/formats/e4m3").text)
    wrong = words(reader.get("/en/formats/float8_e5m2fnuz").text)
    assert "torch.finfo(torch.float8_e5m2fnuz) is wrong in eps" in wrong
    assert "pseudo-infinity" in words(reader.get("/en/formats/x87").text)
    assert "emax2" in words(reader.get("/en/formats/mxfp4").text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["float99", "int0", "e20m3", "e5m2:wings", "x" * 5000, "%00", "codebook:1", "posit1"])
def test_what_names_no_format_is_said_so(reader: TestClient, language: Language, name: str) -> None:
    for page in ("", "/codes", "/map"):
        answer = reader.get(f"/{language}/formats/{name}{page}")
        assert answer.status_code == 404
        assert len(words(answer.text)) < 2000
    answer = reader.get(f"/api/v1/formats/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"].startswith("format.")


def test_blocks_and_wide_formats_have_no_code_table(reader: TestClient) -> None:
    for page in ("codes", "map"):
        assert reader.get(f"/en/formats/mxfp4/{page}").status_code == 422
        wide = reader.get(f"/en/formats/float32/{page}")
        assert wide.status_code == 422
        assert "Its number line shows any part of it" in words(wide.text)
    assert reader.get("/api/v1/formats/float64/codes").json()["error"]["code"] == "codes.too-wide"
    assert reader.get("/api/v1/formats/nvfp4/codes").json()["error"]["code"] == "format.is-block"


def test_the_search_is_a_permalink_and_a_partial(reader: TestClient) -> None:
    page = reader.get("/en/formats?family=float&width=8&find=onnx").text
    assert 'value="onnx"' in page
    assert '<option value="float" selected>' in page
    assert '<option value="8" selected>' in page
    found = links(page, "/en/formats/float")
    assert {"/en/formats/float8_e4m3fn", "/en/formats/float8_e8m0fnu"} <= set(found)
    assert "/en/formats/float4_e2m1fn" not in found
    partial = reader.get("/en/formats?family=float&width=8&find=onnx", headers=PARTIAL).text
    assert partial.strip() in page
    assert "<html" not in partial


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("find=e5m10", "Spelled by its name"),
        ("find=posit12%3Aes%3D1", "posit12:es=1"),
        ("find=int200", "It is a whole number from 1 to 128"),
        ("find=nothing", "No listed format fits."),
        ("width=7", "Names spell these: int7"),
        ("find=%3Cb%3E", "No listed format fits."),
    ],
)
def test_a_search_that_finds_no_row_still_answers(reader: TestClient, query: str, said: str) -> None:
    page = reader.get(f"/en/formats?{query}")
    assert page.status_code == 200
    assert said in words(page.text)
    assert "<b>" not in page.text


@pytest.mark.parametrize("query", ["family=fish", "width=0", "width=129", "width=x", "width=%D9%A3", "colour=red"])
def test_a_filter_that_does_not_exist_is_refused(reader: TestClient, query: str) -> None:
    assert reader.get(f"/zh/formats?{query}").status_code == 422


def test_every_code_of_eight_bits_is_on_one_page_with_its_exact_value(reader: TestClient) -> None:
    number_format = find_format("float8_e5m2")
    page = reader.get("/en/formats/float8_e5m2/codes").text
    assert len(links(page, "/en/inspect?bits=0x")) == 256
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th><td>(.*?)</td><td[^>]*>(.*?)</td></tr>", page, re.DOTALL)
    assert len(rows) == 256
    for number, row in enumerate(rows):
        code, bits, shown = (words(cell).strip() for cell in row)
        assert (int(code, 16), int(bits, 2)) == (number, number)
        value = number_format.value_of(number)
        if value is None:
            assert shown in ("NaN", "∞", "−∞")
            continue
        plain = shown.removeprefix("subnormal").strip().replace("−", "-")
        if plain.startswith("≈"):  # rounded digits, and the exact number in powers of two beside them
            plain = plain.split(" ", 2)[2]
        if " × 2" in plain:
            head, _, power = plain.partition(" × 2")
            assert Fraction(head) * Fraction(2) ** int(power) == value
        elif not re.fullmatch(r"-?2-\d+", plain):
            assert Fraction(plain) == value


def test_a_code_or_a_value_leads_to_its_page(reader: TestClient) -> None:
    for at in ("0x3c00", "1", "0b11110000000000", " 0x1p0"):
        page = reader.get("/en/formats/float16/codes", params={"at": at}).text
        assert "Page 61 of 256" in words(page)
        row = re.search(r'<tr class="codes__at" id="at" aria-current="true">(.*?)</tr>', page, re.DOTALL)
        assert row is not None
        assert "0x3c00" in row[1]
    refused = reader.get("/en/formats/float16/codes?at=1%2C5")
    assert refused.status_code == 422
    assert 'value="1,5"' in refused.text
    assert 'aria-describedby="at-error"' in refused.text
    assert reader.get("/en/formats/float16/codes?page=257").status_code == 422


def test_a_map_has_a_cell_for_every_code(reader: TestClient) -> None:
    for name in ("float8_e4m3fn", "posit8", "nf4", "int8", "float8_e8m0fnu", "takum_linear8", "q0.7"):
        page = reader.get(f"/zh/formats/{name}/map").text
        codes = {int(href.partition("0x")[2].partition("&")[0], 16) for href in links(page, "/zh/inspect?bits=0x")}
        assert codes == set(range(1 << find_format(name).width))


def test_the_chart_of_a_wider_format_has_a_bar_a_binade_and_says_so(reader: TestClient) -> None:
    page = reader.get("/en/formats/posit16/map").text
    path = re.search(r'<path class="layout__mantissa" d="([^"]+)"', page)
    assert path is not None
    bars = [tuple(map(float, bar)) for bar in re.findall(r"M([0-9.]+) [^H]*H([0-9.]+)", path[1])]
    column = 1120 / (2 * 56 + 1)
    assert round(sum(right - left for left, right in bars) / column) == 103, "neighbours of one height are one bar"
    label = re.search(r'role="img" aria-label="(Significant bits[^"]+)"', page)
    assert label is not None
    assert "at most 12 bits high" in label[1]


def test_json_lists_everything(reader: TestClient) -> None:
    listed = reader.get("/api/v1/formats").json()
    assert [each["name"] for each in listed["formats"]] == [each.name for each in CATALOG]
    assert [each["name"] for each in listed["blocks"]] == [each.name for each in BLOCKS]
    assert {"family": "takum", "patterns": ["takum_linear{2…128}"], "options": [], "examples": ["takum_linear12"]} in (
        listed["families"]
    )
    block = listed["blocks"][-1]
    assert (block["element"], block["scale"], block["tensor_scale"], block["block_size"]) == (
        *("float4_e2m1fn", "float8_e4m3fn", "float32"),
        16,
    )
    card = reader.get("/api/v1/formats/float8_e5m2fnuz").json()
    torch_figures = {each["name"]: each for each in card["libraries"][0]["figures"]}
    assert torch_figures["eps"] == {"name": "eps", "given": "0.125", "exact": "0.25", "agrees": False}
    assert {"role": "largest", "hex": "0x7f", "value": "57344"} in card["landmarks"]


def test_json_pages_hold_every_code_in_order(reader: TestClient) -> None:
    number_format = find_format("q3.8")
    seen = []
    for page in range(1, 17):
        document = reader.get(f"/api/v1/formats/q3.8/codes?page={page}").json()
        assert (document["page"], document["pages"]) == (page, 16)
        seen += document["codes"]
    assert [int(each["hex"], 16) for each in seen] == list(range(1 << 12))
    assert all(Fraction(each["value"]) == number_format.value_of(code) for code, each in enumerate(seen))
    assert reader.get("/api/v1/formats/q3.8/codes?page=17").status_code == 422


def test_the_command_says_what_the_json_does(reader: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("float16", "nvfp4", "posit12:es=1"):
        assert main(["formats", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == reader.get(f"/api/v1/formats/{name}").json()
    assert main(["formats", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == reader.get("/api/v1/formats").json()
    assert main(["formats", "float8_e5m2fnuz"]) == 0
    assert "eps is given as 0.125; exactly: 0.25" in capsys.readouterr().out
    assert main(["formats"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in NAMES)
    assert main(["formats", "float99"]) == 1


@given(st.text(max_size=60) | st.from_regex(r"\A[a-z]{1,8}[0-9]{0,3}(:[a-z=0-9-]{0,9}){0,3}\Z"))
@settings(max_examples=60, deadline=None)
def test_any_text_is_answered(reader: TestClient, text: str) -> None:
    try:
        find_any_format(text)
        status = {200}
    except InvalidInput:
        status = {404}
    path = quote(text, safe="")
    if text and not {".", "/"} & set(text):
        assert reader.get(f"/en/formats/{path}").status_code in status | {404}
        assert reader.get(f"/api/v1/formats/{path}").status_code in status | {404}
    assert reader.get("/en/formats", params={"find": text}).status_code == 200
    assert reader.get("/en/formats/float16/codes", params={"at": text}).status_code in {200, 422}


def test_the_pages_have_nothing_inline(reader: TestClient) -> None:
    for path in ("formats", "formats/float16", "formats/mxfp4", "formats/posit8/map", "formats/float16/map",
                 "formats/int8/codes"):  # fmt: skip
        html = reader.get(f"/en/{path}").text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", html), path


def test_templates_read_only_what_their_view_has() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    for name, view in VIEWS.items():
        tree = environment.parse((template_directory() / name).read_text(encoding="utf-8"))
        read = {
            node.attr
            for node in tree.find_all(nodes.Getattr)
            if isinstance(node.node, nodes.Name) and node.node.name == "view"
        }
        assert read
        assert read <= {field.name for field in dataclasses.fields(view)}, name


def test_every_field_of_a_view_is_shown() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in template_directory().rglob("*.html"))
    source = Path(__file__).parents[2] / "app" / "web" / "pages"
    for path in source.glob("formats*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                fields = [each.target.id for each in node.body if isinstance(each, ast.AnnAssign)]
                assert [name for name in fields if f".{name}" not in text] == [], node.name


@pytest.mark.parametrize("name", ["e15m0", "e14m1:bias=-16000", "posit16:es=8"])
def test_the_map_of_thousands_of_binades_is_a_small_page_at_once(reader: TestClient, name: str) -> None:
    before = process_time()
    answer = reader.get(f"/en/formats/{name}/map")
    assert answer.status_code == 200
    assert process_time() - before < 0.5, "a bar and a number of 16,000 bits for each"
    assert len(answer.text) < 100_000
    assert answer.text.count("<tr>") <= 65
    chart = re.findall(r'<path class="layout__mantissa" d="([^"]*)"', answer.text)
    assert chart[0].count("M") < 1120
