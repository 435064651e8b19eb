"""The Compare page and its JSON: rows, chart, common numbers, permalinks, and refusals beside their fields."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from app.formats import COMMON, find_format, format_names
from app.tasks.compare_formats import range_of
from app.web.pages.compare_chart import WIDTHS, Window, default_window, precision_charts
from app.web.pages.compare_figures import counted, near, rounded
from app.web.pages.compare_form import CHOICES
from app.web.pages.compare_tables import _percent
from app.wording import Language

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


def page(client: TestClient, language: str = "en", *, status: int = 200, **query: Any) -> str:
    answer = client.get(f"/{language}/compare", params=query)
    assert answer.status_code == status, answer.text[-2000:]
    return unescape(answer.text)


def api(client: TestClient, status: int = 200, **query: str) -> Any:
    answer = client.get("/api/v1/compare", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def rows(html: str) -> list[str]:
    table = html.partition('<table class="table compared">')[2].partition("</table>")[0]
    return re.findall(r"<tr>(.*?)</tr>", table.partition("<tbody>")[2], re.DOTALL)


@pytest.mark.parametrize("language", list(Language))
def test_the_first_view_teaches_at_once(client: TestClient, language: Language) -> None:
    html = page(client, language)
    assert len(rows(html)) == 6
    assert '<link rel="alternate" hreflang="en"' in html
    assert "style=" not in html
    assert html.count('<svg class="chart') == 3
    assert f'/{language}/inspect?value=0.1&format=float32"' in html


def test_each_row_has_bits_value_and_error_and_keeps_number_and_rounding_in_its_link(client: TestClient) -> None:
    html = page(client, value="0.1", formats="bfloat16 e5m10 bool", rounding="toward_zero")
    first, custom, boolean = rows(html)
    assert 'href="/en/inspect?value=0.1&format=bfloat16&rounding=toward_zero"' in first
    assert '<span class="field-run field-run--sign">0</span>' in first
    assert '<span class="field-run field-run--exponent">01111011</span>' in first
    assert '<span class="field-run field-run--mantissa">1001100</span>' in first
    assert "0x3dcc" in first
    assert "0.099609375" in words(first).replace("0.099 609 375", "0.099609375")
    assert "format=e5m10" in custom
    assert "compared__exact" not in first
    assert "0x1" in boolean


def test_exact_numbers_are_marked_and_refusals_are_said_in_their_row(client: TestClient) -> None:
    exact, refused, nar = rows(page(client, value="nan", formats="float16 int8 posit8"))
    assert "exact" in words(exact)
    assert "int8 has no code for NaN" in words(refused)
    assert "NaR" in words(nar)


def test_sorted_by_error(client: TestClient) -> None:
    html = page(client, value="0.1", formats="float8_e4m3fn float16 float32", sort="error")
    names = [re.search(r"<a[^>]*>(.*?)</a>", row)[1] for row in rows(html)]  # type: ignore[index]
    assert names == ["float32", "float16", "float8_e4m3fn"]


def test_ticks_and_names_become_one_permanent_address(client: TestClient) -> None:
    query = "value=2&formats=int8&formats=float16&formats=posit12+e4m3:bias%3D8&rounding=&sort=&from=&to="
    answer = client.get(f"/en/compare?{query}")
    assert answer.status_code == 303
    there = urlsplit(answer.headers["location"])
    assert parse_qs(there.query) == {"value": ["2"], "formats": ["int8 float16 posit12 e4m3:bias=8"]}
    html = client.get(answer.headers["location"]).text
    assert 'value="posit12 e4m3:bias=8"' in html
    assert '<input type="checkbox" name="formats" value="int8" checked>' in html


def test_every_common_format_can_be_ticked() -> None:
    offered = [name for names in CHOICES.values() for name in names]
    assert len(offered) == len(set(offered))
    assert {each.name for each in COMMON} <= set(offered)


def test_what_cannot_be_read_is_told_beside_its_field_and_the_rest_is_shown(client: TestClient) -> None:
    html = page(client, status=422, value="0.1", formats="float16 nonsense e9m999 int8")
    assert len(rows(html)) == 2
    refusal = html.partition('id="formats-error"')[2].partition("</div>")[0]
    assert "nonsense" in refusal
    assert "999" in refusal
    assert 'value="nonsense e9m999"' in html
    html = page(client, status=422, value="1..2", formats="float16")
    assert rows(html) == []
    assert "field__error" in html.partition('id="value-error"')[2].partition("</div>")[0]
    assert "precision__chart" in html
    html = page(client, status=422, rounding="sideways")
    assert "sideways" in html.partition('id="rounding-error"')[2].partition("</div>")[0]
    html = page(client, status=422, **{"from": "-1"})
    assert "positive" in html.partition('id="window-error"')[2].partition("</div>")[0]
    html = page(client, status=422, **{"from": "2", "to": "1"})
    assert "Move them apart" in html


def test_no_format_and_too_many_formats(client: TestClient) -> None:
    html = page(client, status=422, formats="")
    assert "No format is named" in html
    assert rows(html) == []
    many = " ".join(f"int{width}" for width in range(2, 18))
    html = page(client, status=422, formats=many)
    assert len(rows(html)) == 12
    assert "16 formats are named; at most 12" in html


@pytest.mark.parametrize("language", list(Language))
def test_every_listed_format_and_strange_ones_are_drawn(client: TestClient, language: Language) -> None:
    names = list(format_names())
    strange = ["posit128:es=8", "e15m112:bias=30000", "codebook:-3,-1", "uint1", "e0m1", "takum_linear2", "q0.1"]
    for start in range(0, len(names), 12):
        page(client, language, formats=" ".join(names[start : start + 12]))
    html = page(client, language, formats=" ".join(strange), value="1e999999999")
    assert len(rows(html)) == len(strange)
    page(
        client, language, status=200, formats=" ".join(strange), value="-0", **{"from": "0x1p-9999", "to": "1e99999999"}
    )
    page(client, language, formats="codebook:-3,-1")


def test_the_partial_carries_the_permanent_address(client: TestClient) -> None:
    query = "value=2&formats=int8&formats=&rounding=&sort=error"
    answer = client.get(f"/en/compare?{query}", headers=PARTIAL)
    assert answer.status_code == 200
    assert answer.headers["HX-Replace-Url"] == "/en/compare?value=2&formats=int8&sort=error"
    assert "<html" not in answer.text
    assert 'id="compare"' in answer.text


def charts(html: str) -> list[ET.Element]:
    found = re.findall(r"<svg class=\"chart.*?</svg>", html, re.DOTALL)
    return [ET.fromstring(each) for each in found]  # noqa: S314  # our own page


def test_charts_are_bounded_labelled_and_described(client: TestClient) -> None:
    answer = client.get("/en/compare", params={"formats": "float32 posit128:es=8 takum_linear64 int8 nf4"})
    for chart in charts(answer.text):
        width, height = (float(each) for each in chart.attrib["viewBox"].split()[2:])
        assert chart.attrib["role"] == "img"
        assert "float32: up to 24 bits" in chart.attrib["aria-label"]
        lines = chart.findall("polyline")
        assert len(lines) == 5
        assert len({(line.get("stroke-dasharray"), line.get("stroke-width")) for line in lines}) == 5
        for line in lines:
            points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
            assert len(points) <= width + height
            assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
            assert [x for x, _ in points] == sorted(x for x, _ in points)
    assert "<details" in answer.text


def test_names_on_the_chart_do_not_cover_each_other() -> None:
    names = ("float32", "tfloat32", "bfloat16", "float16", "float8_e4m3fn", "posit16")
    formats = tuple(map(find_format, names))
    for chart in precision_charts(formats, default_window(tuple(map(range_of, formats)), 160)):
        labels = [line.label for line in chart.lines if line.label is not None]
        assert len(labels) >= (6 if chart.size != "narrow" else 4)
        for index, one in enumerate(labels):
            for other in labels[:index]:
                apart = abs(one.x - other.x) >= 3.9 * (len(one.text) + len(other.text)) or abs(one.y - other.y) >= 12
                assert apart, (chart.size, one, other)
        assert chart.width == WIDTHS[chart.size]


def test_windows() -> None:
    ranges = (range_of(find_format("float64")),)
    assert default_window(ranges, 160) == Window(-160, 160)
    whole = default_window(ranges, None)
    assert whole.low < -1074
    assert whole.high > 1024
    assert default_window((range_of(find_format("codebook:-3,-1")),), None) == Window(-1, 2)


def test_links_to_other_windows_are_views_of_their_own(client: TestClient) -> None:
    html = page(client, formats="float64")
    links = re.findall(r'<a href="([^"]*#precision)"', html)
    assert len(links) == 3
    for link in links:
        html = page(client, **dict(parse_qsl(urlsplit(link).query)))
        assert "field__error" not in html
    assert client.get("/en/compare?formats=float64&from=1e-3&to=1000").status_code == 200


def test_examples_open_in_inspect(client: TestClient) -> None:
    html = page(client, formats="float128 posit16 int128 nf4")
    table = html.partition('<table class="table shared">')[2].partition("</table>")[0]
    links = re.findall(r'href="([^"]+)"', table)
    assert len(links) >= 10
    for link in links:
        assert "/en/inspect?value=" in link
        assert "^" not in link


def test_the_json_has_exact_strings(client: TestClient) -> None:
    found = api(client, value="0.1", formats="float32 int8")
    first, second = found["numbers"]
    assert first["hex"] == "0x3dcccccd"
    assert first["value"] == "0.100000001490116119384765625"
    assert first["error"]["absolute"] == "0.000000001490116119384765625"
    assert first["exact"] is False
    assert [field["name"] for field in first["fields"]] == ["sign", "exponent", "mantissa"]
    assert second["value"] == "0"
    assert found["formats"][0]["finite_numbers"] == str(2 * 255 * 2**23 - 1)
    assert found["formats"][0]["precision"][0] == {
        "from": "2^-149", "to": "2^-126", "from_bits": "1.0000", "to_bits": "24.0000", "from_steps": "1",
        "to_steps": "8388608",
    }  # fmt: skip
    assert found["formats"][0]["max"] == str((2**24 - 1) * 2**104)
    assert found["shared"][0]["both"] == "256"
    assert found["matrix"] == [[str(2 * 255 * 2**23 - 1), "256"], ["256", "256"]]


def test_the_json_without_a_number_and_with_mistakes(client: TestClient) -> None:
    assert api(client, formats="float16 posit16")["numbers"] is None
    assert api(client, value="nan", formats="int8")["numbers"][0]["refusal"]["id"] == "number.no-nan"
    for query in ({}, {"formats": ""}, {"formats": "nonsense"}, {"formats": "int8", "value": "1..2"}):
        assert "message" in api(client, 422, **query)["error"]
    assert api(client, 422, formats="int8", colour="red")["error"]["code"] == "request.unknown-parameter"


def test_shares_are_never_rounded_to_none_or_all() -> None:
    thin = "\u202f"
    assert _percent(0, 5) == f"0{thin}%"
    assert _percent(5, 5) == f"100{thin}%"
    assert _percent(1, 10**9) == f"<{thin}0.01{thin}%"
    assert _percent(10**9 - 1, 10**9) == f"99.99{thin}%"
    assert _percent(15, 256) == f"5.86{thin}%"
    assert _percent(1, 3) == f"33{thin}%"


def test_rounded_figures_say_so() -> None:
    float32 = range_of(find_format("float32"))
    assert float32.min_positive is not None
    assert (rounded(float32.max).text, rounded(float32.max).is_rounded) == ("3.4028e38", True)
    assert (rounded(-float32.min_positive).text, rounded(float32.min_positive).is_rounded) == ("-1.4013e-45", True)
    assert not counted(123456789).is_rounded
    assert counted(2**64).is_rounded
    eighth = range_of(find_format("float16")).max
    assert (rounded(eighth).text, rounded(eighth).is_rounded) == ("65504", False)


@pytest.mark.parametrize(
    "value",
    [
        f"1e{'9' * 4000}",
        f"-1e-{'9' * 4000}",
        "1e999999999999999999",
        "5^-60000",
        "2^99999999999/3",
        "0x1p-99999999999999",
    ],
)
@pytest.mark.parametrize("rounding", ["nearest_even", "toward_positive", "toward_negative"])
def test_numbers_beyond_every_format_and_every_decimal_have_rows(client: TestClient, value: str, rounding: str) -> None:
    html = page(client, value=value, formats="float32 q7.8 int8 posit16 nf4 float8_e8m0fnu", rounding=rounding)
    assert len(rows(html)) == 6
    for row in rows(html):
        assert len(words(row)) < 400, "a text of thousands of characters in a column"


def test_the_error_of_a_number_far_away_is_told_by_its_own_text() -> None:
    assert near("1*10^-60000*2^60000").text == "1*10^-60000*2^60000"
    assert near("1e+99999999999999999999").text == "1e+99999999999999999999"
    assert near(f"1e+{'9' * 4000}").text == "1e+9999999999999…9999999"
    assert near("1e-99999999999999999").text == "1e-99999999999999999"
    assert near("2/3").text == "0.6667"
    assert near("inf").text == "inf"
