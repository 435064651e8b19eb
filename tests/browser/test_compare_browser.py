"""The Compare page in a real browser: live fields, no script, axe, and nothing wider than the window."""

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

ADDRESSES = (
    "compare",
    "compare?value=nan&formats=int8+float32+posit16+nf4+bool&sort=error",
    "compare?value=1e40&formats=float128+int128+codebook:-1,0,1e-3,0.7+uint1+takum_linear64",
    "compare?value=1..2&formats=float16+nonsense&from=-1",
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
        shown = page.locator(".precision__chart:visible")
        expect(shown).to_have_count(1)


def test_typing_and_ticking_change_the_answer_and_the_address(page: Page) -> None:
    page.goto("/en/compare")
    page.locator("#value").fill("0.25")
    expect(page.locator("#numbers")).to_contain_text("0.25")
    expect(page.locator(".compared__exact")).to_have_count(6)
    expect(page).to_have_url(re.compile(r"value=0\.25&formats=float32"))
    page.locator("#choose summary").click()
    page.get_by_role("checkbox", name="int8", exact=True).check()
    expect(page.locator(".compared tbody tr")).to_have_count(7)
    expect(page.locator("#choose")).to_have_attribute("open", "")
    expect(page).to_have_url(re.compile(r"int8"))
    page.locator("#formats").fill("posit12 e4m3:bias=8")
    page.locator("#formats").press("Enter")
    expect(page.locator(".compared tbody tr")).to_have_count(9)
    page.locator("#sort").select_option("error")
    expect(page).to_have_url(re.compile(r"sort=error"))
    page.get_by_role("checkbox", name="int8", exact=True).uncheck()
    expect(page.locator(".compared tbody tr")).to_have_count(8)
    page.locator("#formats").fill("int8")
    page.locator("#formats").press("Enter")
    expect(page.get_by_role("checkbox", name="int8", exact=True)).to_be_checked()
    expect(page.locator(".compared tbody tr")).to_have_count(7)
    page.reload()
    expect(page.locator(".compared tbody tr")).to_have_count(7)


def test_a_refusal_appears_beside_its_field_and_goes(page: Page, expected: Any) -> None:
    expected.statuses.add(422)
    page.goto("/en/compare?formats=float16")
    page.locator("#value").fill("1..2")
    expect(page.locator("#value-error .field__error")).to_be_visible()
    expect(page.locator("#value")).to_be_focused()
    page.locator("#value").fill("1.2")
    expect(page.locator("#value-error .field__error")).to_have_count(0)
    expect(page.locator(".compared tbody tr")).to_have_count(1)


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_works_without_script(page: Page) -> None:
    page.goto("/en/compare")
    page.locator("#value").fill("3")
    page.locator("#choose summary").click()
    page.get_by_role("checkbox", name="float32", exact=True).uncheck()
    page.get_by_role("checkbox", name="uint8", exact=True).check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page).to_have_url(re.compile(r"/en/compare\?value=3&formats=[^&]*uint8$"))
    expect(page.locator(".compared tbody tr")).to_have_count(6)
    page.locator(".compared tbody a").last.click()
    expect(page).to_have_url(re.compile(r"/en/inspect\?value=3&format="))
