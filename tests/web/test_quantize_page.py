"""The Quantize page: what it shows at first sight, permalinks, fields, refusals, and hostile questions."""

import re
from collections.abc import Mapping
from fractions import Fraction
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from app.schemes.registry import ENTRIES
from app.tasks.quantize_matrix import read_matrix
from app.tasks.quantize_request import Distribution, QuantizeRequest
from app.tasks.quantize_values import quantize_values
from app.tasks.scheme_words import read_schemes
from app.web.pages.quantize_axes import place_names
from app.web.pages.quantize_query import FIRST_SCHEMES, Asked, fitted, matrix_text
from app.web.pages.quantize_rate_chart import RatePoint, _plane, rate_charts, source_named
from app.web.request_line import URL_LIMIT
from app.wording import Language

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}
FIELDS = {"matrix": "1 2; 3 4", "draw": "", "rows": "16", "columns": "64", "seed": "1", "scheme1": "int8"}


def page(client: TestClient, language: str = "en", *, status: int = 200, **query: Any) -> str:
    answer = client.get(f"/{language}/quantize", params=query)
    assert answer.status_code == status, answer.text[-2000:]
    return unescape(answer.text)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html)).strip()


def cells(html: str, kind: str) -> list[list[list[str]]]:
    """The texts of every table of a kind, row by row."""
    tables = re.findall(rf'<table class="cells cells--{kind}">(.*?)</table>', html, re.DOTALL)
    return [
        [
            [words(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]
            for row in re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2])
        ]
        for table in tables
    ]


@pytest.mark.parametrize("language", list(Language))
def test_the_first_view_tells_the_story_of_nine_weights(client: TestClient, language: Language) -> None:
    html = page(client, language)
    assert "style=" not in html
    story = words(html.partition('<h2 class="takeaway"')[2].partition("</h2>")[0])
    assert re.search(r"36\D+13\D+SQNR 48\.\d\d dB", story), story
    line = words(html.partition('class="takeaway__line')[2].partition("</p>")[0])
    assert re.search(r"9.*4.*3", line)
    assert html.count('<article class="scheme-column"') == 3
    assert f'/{language}/inspect?value=0.52&format=float32"' in html
    assert f"/{language}/inspect?bits=0b" not in html
    assert re.search(rf"/{language}/inspect\?bits=0x[0-9a-f]{{2}}&format=int8", html)
    assert 'aria-current="page"' in html.partition("</nav>")[0]


def test_every_figure_of_a_scheme_is_what_the_engine_gives(client: TestClient) -> None:
    html = page(client)
    answer = quantize_values(QuantizeRequest(schemes=read_schemes(FIRST_SCHEMES)))
    codes, errors = cells(html, "code"), cells(html, "error")
    weights, *restored = cells(html, "weight")
    assert weights[0] == ["0.52", "−1.31", "0.08"]
    for place, view in enumerate(answer.views):
        work = view.quantized
        assert work is not None
        assert work.element_codes is not None
        width = view.element_format.width  # type: ignore[union-attr]
        for row in range(3):
            for column in range(3):
                bits = f"{int(work.element_codes[row, column]):0{width}b}"
                assert codes[place][row][column].startswith(bits)
                for shown, value, digits in (
                    (restored[place], float(work.dequantized[row, column]), 4),
                    (errors[place], float(work.errors[row, column]), 3),
                ):
                    text = shown[row][column].replace("−", "-").replace("×10", "e")
                    assert float(text) == pytest.approx(value, rel=10.0 ** (1 - digits), abs=1e-12)


def test_the_error_of_a_cell_is_exact(client: TestClient) -> None:
    html = page(client, schemes="int8:tensor")
    answer = quantize_values(QuantizeRequest(schemes=read_schemes("int8:tensor")))
    work = answer.views[0].quantized
    assert work is not None
    exact = Fraction(float(work.dequantized[0, 0])) - Fraction(float(answer.values[0, 0]))
    table = html.partition('<table class="cells cells--error">')[2]
    assert Fraction(re.search(r'title="([^"]+)"', table)[1]) == exact  # type: ignore[index]


def test_the_fields_become_one_permanent_address(client: TestClient) -> None:
    fields = {
        **FIELDS, "scheme2": "int4", "previous2": "int4", "granularity2": "group=32", "rule2": "absmax", "seed2": "7",
        "scheme3": "mxfp4", "previous3": "int4", "granularity3": "tensor", "rule3": "floor",
    }  # fmt: skip
    answer = client.post("/en/quantize", data=fields)
    assert answer.status_code == 303
    there = urlsplit(answer.headers["location"])
    assert parse_qs(there.query) == {
        "matrix": ["1,2;3,4"],
        "schemes": ["int8 int4:group=32:absmax:stochastic=7 mxfp4:mx=floor"],
    }
    html = page(client, **{name: text[0] for name, text in parse_qs(there.query).items()})
    assert html.count('<article class="scheme-column"') == 3
    assert '<option value="group=32" selected>' in html
    assert 'name="seed2" value="7"' in html


def test_a_drawn_matrix_has_no_text_in_its_address(client: TestClient) -> None:
    fields = {**FIELDS, "draw": "laplace", "rows": "5", "columns": "9", "seed": "3"}
    answer = client.post("/en/quantize", data=fields)
    assert answer.headers["location"] == "/en/quantize?draw=laplace&shape=5x9&seed=3&schemes=int8"
    html = page(client, draw="laplace", shape="5x9", seed="3", schemes="int8")
    assert "Laplace weights" in html
    assert html.count('<table class="cells') == 4


def test_the_course_and_the_first_schemes_need_no_query(client: TestClient) -> None:
    fields = {"matrix": "0.52 -1.31 0.08\n2.54 -0.77 0.19\n\n-1.9 0.03 0.66\n", "draw": ""}
    for number, text in enumerate(FIRST_SCHEMES.split(), 1):
        name, _, granularity = text.partition(":")
        fields |= {f"scheme{number}": name, f"granularity{number}": granularity}
    answer = client.post("/zh/quantize", data=fields)
    assert answer.headers["location"] == "/zh/quantize"


@pytest.mark.parametrize(
    "query", [{}, {"matrix": "1,2;3"}, {"draw": "normal", "shape": "20x40", "clip": "70", "at": "9,9"}]
)
def test_the_partial_is_what_the_page_holds(client: TestClient, query: Mapping[str, str]) -> None:
    whole = client.get("/en/quantize", params=query)
    part = client.get("/en/quantize", params=query, headers=PARTIAL)
    assert "<html" not in part.text
    if part.status_code == 422:
        assert part.headers["HX-Retarget"] == "#quantize-form"
        assert '<form id="quantize-form"' in part.text
        assert part.text.strip() in whole.text
        return
    panel = part.text.partition('<div id="quantize"')[2].strip()
    assert panel in whole.text
    assert part.headers["HX-Replace-Url"].startswith("/en/quantize")


def test_a_posted_form_answers_with_the_same_part(client: TestClient) -> None:
    posted = client.post("/en/quantize", data={**FIELDS, "matrix": "1 2; 3 4"}, headers=PARTIAL)
    assert posted.status_code == 200
    assert posted.headers["HX-Replace-Url"] == "/en/quantize?matrix=1,2;3,4&schemes=int8"
    got = client.get(posted.headers["HX-Replace-Url"], headers=PARTIAL)
    without_field = [re.sub(r"<textarea.*?</textarea>", "", each.text, flags=re.DOTALL) for each in (posted, got)]
    assert without_field[0] == without_field[1]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"matrix": "1,2;3,x"}, "“x” in row 2, column 2"),
        ({"matrix": "1,2;3"}, "Row 2 has 1 numbers"),
        ({"matrix": "1,2;3,inf"}, "row 2, column 2"),
        ({"matrix": ";;"}, "has no numbers"),
        ({"draw": "cauchy"}, "cauchy"),
        ({"draw": "normal", "shape": "4"}, "“4” is no size"),
        ({"draw": "normal", "shape": "0x4"}, "has no numbers"),
        ({"draw": "normal", "shape": "9999x9999"}, "At most 65,536"),
        ({"draw": "normal", "seed": "1e3"}, "“1e3”"),
        ({"schemes": "int8 intx"}, "no scheme named “intx”"),
        ({"schemes": "int8:group=0"}, "no granularity “group=0”"),
        ({"schemes": "int8:sideways"}, "“sideways” says nothing"),
        ({"schemes": "int8:percentile=101"}, "101"),
        ({"schemes": "mxfp4:absmax"}, "does not take"),
        ({"schemes": "a b c d e"}, "At most 4 schemes"),
        ({"schemes": ""}, "No scheme is chosen"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(client: TestClient, query: dict[str, str], said: str) -> None:
    answer = client.get("/en/quantize", params=query)
    assert answer.status_code in (200, 422)
    html = unescape(answer.text)
    found = re.findall(r'class="(?:field__error|scheme-column__refusal|overview__refusal)">(.*?)</', html)
    assert any(said in sentence for sentence in found), found
    assert answer.status_code == (422 if "field__error" in html else 200)
    assert client.get("/zh/quantize", params=query).status_code == answer.status_code


def test_a_scheme_that_refuses_leaves_the_others_alone(client: TestClient) -> None:
    html = page(client, schemes="intx int8:tensor")
    assert html.count("scheme-column__refusal") == 1
    assert html.count('<table class="cells cells--code">') == 1
    assert words(html.partition('class="takeaway"')[2].partition("</h2>")[0]).count("13") == 1


def test_what_was_typed_is_kept_beside_its_refusal(client: TestClient) -> None:
    answer = client.post("/en/quantize", data={**FIELDS, "matrix": "1 2\n3 <x>"}, headers=PARTIAL)
    assert answer.status_code == 422
    assert "1 2\n3 &lt;x&gt;</textarea>" in answer.text


def test_a_long_matrix_loses_only_digits_that_float32_does_not_keep() -> None:
    rows = [" ".join(f"0.{place * 7919 % 10**9:09d}123456789" for place in range(60)) for _ in range(14)]
    asked = Asked(matrix=matrix_text("\n".join(rows)), schemes="int8")
    assert len(asked.address(Language.ENGLISH)) > URL_LIMIT
    short = fitted(asked, Language.ENGLISH)
    assert len(short.address(Language.ENGLISH)) <= URL_LIMIT
    before, after = (read_matrix(each.source()) for each in (asked, short))
    assert before.equal(after)


def test_a_matrix_that_no_address_holds_is_refused_with_what_to_do(client: TestClient) -> None:
    matrix = "\n".join(" ".join(["0.12345678"] * 64) for _ in range(64))
    answer = client.post("/en/quantize", data={**FIELDS, "matrix": matrix})
    assert answer.status_code == 422
    refusal = unescape(answer.text).partition('id="matrix-error"')[2].partition("</div>")[0]
    assert "16,384" in refusal
    assert "fewer rows" in refusal
    assert matrix[:100] in answer.text


@pytest.mark.parametrize(
    "text",
    [
        *("<script>alert(1)</script>", "1e999999999", "9^9^9", "\x00", "，１２", "nan", "0x1p-9999999999", "1/0"),
        *("'\"--", "%s{}", "∞"),
    ],
)
@pytest.mark.parametrize("name", ["matrix", "draw", "shape", "seed", "schemes", "clip", "at"])
def test_hostile_questions_get_an_answer(client: TestClient, name: str, text: str) -> None:
    answer = client.get(
        "/en/quantize", params={name: text, **({"draw": "normal"} if name in ("shape", "seed") else {})}
    )
    assert answer.status_code in (200, 422)
    assert "<script>alert" not in answer.text


def test_other_parameters_and_repeated_ones_are_refused(client: TestClient) -> None:
    assert client.get("/en/quantize?rows=3").status_code == 422
    assert client.get("/en/quantize?matrix=1&matrix=2").status_code == 422
    assert client.get("/de/quantize").status_code == 404
    form = client.post("/en/quantize", data={"scheme1": "x" * 500, "granularity1": "y" * 500, "nonsense": "1"})
    assert form.status_code in (303, 422)
    assert client.post("/en/quantize", content=b"\xff\xfe", headers={"Content-Type": "text/plain"}).status_code < 500


@pytest.mark.parametrize("name", list(ENTRIES))
def test_every_scheme_of_the_engine_has_its_column(client: TestClient, name: str) -> None:
    html = page(client, draw="normal", shape="4x256", schemes=name)
    assert html.count('<article class="scheme-column"') == 1
    assert "scheme-column__refusal" not in html
    assert f'<option value="{name}" selected>' in html
    html = page(client, schemes=name)
    assert f'id="scheme-1-name"><span class="figure">{name}</span>' in html


@pytest.mark.parametrize("distribution", list(Distribution))
def test_every_distribution(client: TestClient, distribution: str) -> None:
    html = page(client, draw=distribution, shape="3x65", schemes="int4:group=32 nf4")
    assert f'<option value="{distribution}" selected>' in html
    assert html.count('class="heat__map"') == 2


def test_pictures_hold_no_more_marks_than_pixels(client: TestClient) -> None:
    answer = client.get("/en/quantize?draw=normal&shape=256x256&schemes=int8:tensor+int4")
    assert len(answer.text) < 400_000
    for picture in re.findall(r'<svg class="heat__map".*?</svg>', answer.text, re.DOTALL):
        width, height = map(int, ET.fromstring(picture).attrib["viewBox"].split()[2:])  # noqa: S314  our own page
        assert width <= 64
        assert height <= 64
        runs = [int(run) for run in re.findall(r"h(\d+)v1", picture)]
        assert sum(runs) <= width * height


def test_the_window_moves_over_the_matrix_and_back(client: TestClient) -> None:
    html = page(client, draw="normal", shape="20x40", schemes="int8")
    assert "Rows 1 to 8 of 20, columns 1 to 7 of 40" in html
    (right,) = re.findall(r'href="([^"]+)#matrices"[^>]*>Right', html)
    html = unescape(client.get(right).text)
    assert "Rows 1 to 8 of 20, columns 8 to 14 of 40" in html
    assert ">Left</a>" in html
    assert "Rows 13 to 20 of 20, columns 34 to 40 of 40" in page(
        client, draw="normal", shape="20x40", schemes="int8", at="99,99"
    )


def test_the_slider_tells_the_error_at_its_place(client: TestClient) -> None:
    def row(**query: str) -> list[str]:
        table = page(client, schemes="int4:tensor", **query).partition('<table class="table clip-table">')[2]
        return [words(cell) for cell in re.findall(r"<td.*?</td>", table)]

    first = row(clip="50")
    assert first[0] == "50"
    assert float(first[1]) > float(first[5])
    chosen = row(clip=row()[4])
    assert float(chosen[2]) == pytest.approx(float(chosen[6]), abs=0.5)
    assert row(clip="999")[0] == row(clip="998")[0]
    assert row(clip="ninety")[0] == row()[0] == "100"


def test_schemes_without_a_common_clipping_point_are_named(client: TestClient) -> None:
    html = page(client, schemes="int8 float16")
    assert "No single clipping point: float16" in html
    assert 'id="clip-title"' not in page(client, schemes="float16")


def test_codes_that_the_file_stores_otherwise_are_told(client: TestClient) -> None:
    assert "as the integer + 8." in page(client, schemes="int4")
    assert "as the integer +" not in page(client, schemes="nf4")


def test_names_on_a_chart_keep_apart() -> None:
    points = tuple(RatePoint(f"int4 group={32 << place}", 4.25 + place / 8, 20 + place / 9) for place in range(4))
    plane = _plane(536, 320, points)
    names = place_names([(plane.x(each.bits), plane.y(each.sqnr), each.name) for each in points], plane)
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            apart = one.extent[1] <= other.extent[0] or other.extent[1] <= one.extent[0]
            assert apart or abs(one.y - other.y) >= 15
    for chart in rate_charts(points, source_named("normal")):
        for x, y in (map(float, each.split(",")) for each in chart.bound.split()):
            assert chart.left <= x <= chart.right
            assert chart.top <= y <= chart.bottom


def test_a_paste_beyond_all_bounds_is_refused_beside_its_field(client: TestClient) -> None:
    answer = client.post("/en/quantize", data={**FIELDS, "matrix": "1 " * (2 << 20)}, headers=PARTIAL)
    assert answer.status_code == 422
    refusal = answer.text.partition('id="matrix-error"')[2].partition("</div>")[0]
    assert "longer than 1,048,576 characters" in refusal
    assert len(answer.text) < 200_000
    many = "&".join(f"a{place}=1" for place in range(500))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/en/quantize", content=many, headers=headers).status_code == 422
    assert client.post("/en/quantize", content=b"matrix=%ff%fe&\xff", headers=headers).status_code in (303, 422)
    assert client.post("/en/quantize", data=FIELDS, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_what_a_cast_makes_infinite_is_shown_so(client: TestClient) -> None:
    html = page(client, matrix="1e30,-1e30,1;-0,1e-30,65519", schemes="float16 bfloat16 float8_e5m2 int8")
    codes, restored, errors = cells(html, "code")[0], cells(html, "weight")[1], cells(html, "error")[0]
    assert restored[0][:2] == ["∞", "−∞"]
    assert errors[0][0] == "∞"
    assert codes[0][0].startswith("0111110000000000")
    assert "shade--8" in html


def test_a_rotation_stands_in_the_options_and_beside_the_codes(client: TestClient) -> None:
    html = page(client, draw="outliers", shape="4x64", schemes="int4:channel int4:channel:rotation=3")
    assert html.count("Of the rotated rows") == 1
    assert 'name="rotation2" value="3"' in html
    assert 'name="rotation1"' not in page(client, schemes="float16")
