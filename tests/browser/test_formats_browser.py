"""The Formats pages in a real browser: live search, links by keyboard, phones, and axe in both languages and themes."""

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

WITHOUT_SCRIPT = pytest.mark.browser_context_args(java_script_enabled=False)
PAGES = (
    *("formats", "formats?find=e5m10", "formats?width=7", "formats/float16", "formats/float80", "formats/posit16"),
    *("formats/mxfp4", "formats/float8_e5m2fnuz", "formats/codebook:-1,0,1", "formats/float8_e4m3fn/codes"),
    *("formats/float16/codes?at=1", "formats/float16/codes?at=x", "formats/float8_e4m3fn/map", "formats/int8/map"),
    "formats/posit16/map",
)


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_axe_has_nothing_to_say(page: Page, expected: Any, language: str, theme: Literal["light", "dark"]) -> None:
    expected.statuses.add(422)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    for address in PAGES:
        page.goto(f"/{language}/{address}")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"


def test_typing_finds_at_once_and_the_address_follows(page: Page) -> None:
    page.goto("/en/formats")
    page.locator("#find").press_sequentially("hopper", delay=10)
    expect(page.locator(".formats-count")).to_have_text("2 formats")
    expect(page).to_have_url(re.compile(r"/en/formats\?find=hopper"))
    page.locator("#find").fill("e5m10")
    expect(page.locator("#spelled")).to_have_text("Spelled by its name")
    page.locator("#find").fill("int200")
    expect(page.locator(".formats-count")).to_contain_text("from 1 to 128")
    page.locator("#find").fill("")
    page.locator("#family").select_option("takum")
    expect(page.locator(".formats-count")).to_have_text("4 formats")
    expect(page.locator("#find")).to_have_value("")


@WITHOUT_SCRIPT
def test_without_script_the_search_is_a_form_and_a_cell_a_link(page: Page) -> None:
    page.goto("/en/formats")
    page.locator("#find").fill("ocp fp4")
    page.locator("#width").select_option("4")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="float4_e2m1fn", exact=True).click()
    page.get_by_role("link", name="Every value").click()
    page.get_by_role("link", name="1.5 0x3", exact=True).click()
    expect(page).to_have_url(re.compile(r"/en/inspect\?bits=0x3&format=float4_e2m1fn$"))


def test_a_code_is_gone_to(page: Page) -> None:
    page.goto("/en/formats/float16/codes")
    page.locator("#at-text").fill("1")
    page.get_by_role("button", name="Go there").click()
    expect(page).to_have_url(re.compile(r"\?at=1#at$"))
    expect(page.locator("#at")).to_be_in_viewport()
    expect(page.locator("#at")).to_contain_text("0x3c00")


@pytest.mark.parametrize("width", [360, 768])
def test_no_page_is_wider_than_the_screen(page: Page, expected: Any, width: int) -> None:
    expected.statuses.add(422)
    page.set_viewport_size({"width": width, "height": 844})
    for address in PAGES:
        page.goto(f"/zh/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") == width, address


@pytest.mark.parametrize("width", [390, 1440])
def test_a_cell_shows_its_whole_value(page: Page, width: int) -> None:
    """Where a cell is too narrow for a number, the number is another text, never one that is cut off."""
    page.set_viewport_size({"width": width, "height": 900})
    cut = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.textContent)"
    for name in ("float8_e4m3fn", "float8_e3m4", "binary8p5se", "posit8", "takum_linear8", "nf4", "int8", "q3.4",
                 "float8_e8m0fnu", "e2m5", "float4_e2m1fn", "uq0.8", "fp4_bnb"):  # fmt: skip
        page.goto(f"/en/formats/{name}/map")
        assert page.locator(".map__cell a").evaluate_all(cut) == [], name
        if "float" in name:
            page.goto(f"/en/formats/{name}/codes")
            assert page.locator(".codes__table td").evaluate_all(cut) == [], name


def test_columns_of_the_table_do_not_run_into_each_other(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/en/formats")
    over = """rows => rows.flatMap(row => [...row.cells].slice(0, -1).map((cell, at) => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return [range.getBoundingClientRect().right, row.cells[at + 1].getBoundingClientRect().left, row.textContent];
    })).filter(([right, left]) => right > left + 0.5)"""
    assert page.locator(".formats tbody tr").evaluate_all(over) == []
