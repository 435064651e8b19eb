"""The Quantize page in a real browser: live fields, the slider, no script, axe, and nothing wider than the window."""

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

ADDRESSES = (
    "quantize",
    "quantize?draw=student_t5&shape=12x40&seed=2&schemes=int4:group=32+mxfp4+nf4:double-quant+fp8:absmax&at=5,9&clip=80",
    "quantize?matrix=1e-30,-3e30,0;1,2,3.14159265358979&schemes=lloyd_max2+intx",
    "quantize?matrix=1,2;3,x&schemes=int8:sideways",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_has_nothing_to_say(page: Page, expected: Any, language: str, theme: Literal["light", "dark"]) -> None:
    expected.statuses.add(422)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    for address in ADDRESSES:
        page.goto(f"/{language}/{address}")
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_nothing_is_wider_than_the_window(page: Page, expected: Any, width: int) -> None:
    expected.statuses.add(422)
    page.set_viewport_size({"width": width, "height": 900})
    for address in ADDRESSES:
        page.goto(f"/en/{address}")
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") == width, address
        assert page.locator(".duo:visible").count() <= 2


def test_typing_changes_the_answer_and_the_address(page: Page) -> None:
    page.goto("/en/quantize?schemes=int8:tensor")
    matrix = page.locator("#matrix")
    matrix.fill("1 2 3 4\n5 6 7 8")
    expect(page.locator("#story")).to_contain_text("32 bytes")
    expect(page).to_have_url(re.compile(r"quantize\?matrix=1,2,3,4;5,6,7,8&schemes=int8:tensor"))
    expect(matrix).to_be_focused()
    assert matrix.input_value() == "1 2 3 4\n5 6 7 8"
    page.locator("#scheme2").select_option("int4")
    expect(page.locator("article.scheme-column")).to_have_count(2)
    page.locator("#more-2 summary").click()
    page.locator("#granularity2").select_option("tensor")
    expect(page).to_have_url(re.compile(r"schemes=int8:tensor\+int4:tensor"))
    expect(page.locator("#more-2")).to_have_attribute("open", "")
    page.locator("#scheme2").select_option("")
    expect(page.locator("article.scheme-column")).to_have_count(1)
    page.reload()
    expect(page.locator("#story")).to_contain_text("32 bytes")


def test_a_refusal_appears_beside_the_matrix_and_goes(page: Page, expected: Any) -> None:
    expected.statuses.add(422)
    page.goto("/en/quantize?schemes=int8")
    page.locator("#matrix").fill("1 2\n3 four")
    expect(page.locator("#matrix-error")).to_contain_text("“four” in row 2, column 2")
    assert page.locator("#matrix").input_value() == "1 2\n3 four"
    expect(page.locator("#story")).to_contain_text("36 bytes")  # the last answer stays
    page.locator("#matrix").fill("1 2\n3 4")
    expect(page.locator("#matrix-error .field__error")).to_have_count(0)
    expect(page.locator("#story")).to_contain_text("16 bytes")


def test_from_typed_to_drawn_and_back(page: Page) -> None:
    page.goto("/en/quantize?schemes=int8")
    page.locator("#matrix").fill("1 2\n3 4")
    expect(page.locator("#story")).to_contain_text("16 bytes")
    page.locator("#draw").select_option("normal")
    expect(page.locator("#rows")).to_have_value("16")
    page.locator("#rows").fill("4")
    page.locator("#rows").press("Enter")
    expect(page.locator("#story")).to_contain_text("1024 bytes")
    expect(page).to_have_url(re.compile(r"draw=normal&shape=4x64&seed=1"))
    page.locator("#draw").select_option("")
    expect(page.locator("#story")).to_contain_text("16 bytes")
    expect(page.locator("#matrix")).to_have_value("1  2\n3  4")


def test_the_slider_is_live_and_keeps_the_focus(page: Page) -> None:
    page.goto("/en/quantize?schemes=int4:tensor")
    slider = page.locator("#clip")
    before = page.locator(".clip-table__first td").nth(1).inner_text()
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")
    expect(page.locator("[data-clip]")).to_have_text("95")
    expect(page).to_have_url(re.compile("clip=95"))
    expect(page.locator(".clip-table__first td").first).to_have_text("95")
    assert page.locator(".clip-table__first td").nth(1).inner_text() != before
    expect(slider).to_be_focused()


def test_a_cell_leads_to_its_bits_and_back_to_the_same_view(page: Page) -> None:
    page.goto("/en/quantize?schemes=int8:tensor")
    page.locator("#clip").fill("80")
    expect(page).to_have_url(re.compile("clip=80"))
    page.locator(".cells--code a").first.click()
    expect(page).to_have_url(re.compile(r"inspect\?bits=0x[0-9a-f]{2}&format=int8"))
    expect(page.locator("#format, [name=format]").first).to_be_attached()
    page.go_back()
    expect(page).to_have_url(re.compile("clip=80"))
    expect(page.locator("[data-clip]")).to_have_text("80")


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_works_without_script(page: Page) -> None:
    page.goto("/zh/quantize")
    page.locator("#matrix").fill("1 2\n3 4")
    page.locator("#scheme2").select_option("mxfp4")
    page.locator(".quantize__go").click()
    expect(page).to_have_url(re.compile(r"/zh/quantize\?matrix=1,2;3,4&schemes=int8:tensor\+mxfp4\+nf4"))
    expect(page.locator("article.scheme-column")).to_have_count(3)
    page.locator("#clip").fill("60")
    page.locator("#clip-form button").click()
    expect(page).to_have_url(re.compile("clip=60"))
    expect(page.locator(".clip-table__first td").first).to_have_text("60")


def test_prints_without_its_fields(page: Page) -> None:
    page.goto("/en/quantize")
    page.emulate_media(media="print")
    expect(page.locator("#quantize-form")).to_be_hidden()
    expect(page.locator("#clip-form")).to_be_hidden()
    expect(page.locator("#story")).to_be_visible()
