"""The Designer by hand: sliders answer while they move, refusals leave the card, all of it without script too."""

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

WITHOUT_SCRIPT = pytest.mark.browser_context_args(java_script_enabled=False)


def test_a_slider_answers_at_once(page: Page) -> None:
    page.goto("/en/designer")
    page.locator("#mantissa").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#designed")).to_have_text("e4m4")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#designed")).to_have_text("e4m6")
    expect(page.locator("#mantissa")).to_be_focused()
    expect(page.locator("#mantissa")).to_have_value("6")
    expect(page).to_have_url(re.compile("format=e4m6&beside=float8_e4m3fn"))
    expect(page.locator("[data-needless]")).to_be_hidden()


def test_a_thumb_is_not_pulled_back_while_it_is_dragged(page: Page) -> None:
    page.goto("/en/designer")
    box = page.locator("#exponent").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 4 / 15, middle)
    page.mouse.down()
    for share in range(5, 13):
        page.mouse.move(box["x"] + box["width"] * share / 15, middle)
        page.wait_for_timeout(60)
    held = page.locator("#exponent").input_value()
    page.wait_for_timeout(400)
    assert page.locator("#exponent").input_value() == held
    page.mouse.up()
    expect(page.locator("#designed")).to_have_text(f"e{held}m3")


def test_a_contradiction_leaves_the_card_and_goes_when_it_is_mended(page: Page, expected: Any) -> None:
    expected.statuses.add(422)
    page.goto("/en/designer?format=e4m3:specials=nan-only")
    page.get_by_label("zero", exact=True).check()
    expect(page.locator("#zero-error")).to_contain_text("choose no-subnormals as well")
    expect(page.locator("#designed")).to_have_text("e4m3:specials=nan-only")
    page.get_by_label("subnormals").check()
    expect(page.locator("#designed")).to_have_text("e4m3:specials=nan-only:no-subnormals:no-zero")
    expect(page.locator(".field__error")).to_have_count(0)
    page.locator("#beside").select_option("bfloat16")
    expect(page).to_have_url(re.compile("beside=bfloat16"))
    expect(page.locator(".designer__table thead")).to_contain_text("bfloat16")


def test_constants_are_copied_and_downloaded(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/en/designer?format=e5m10")
    page.locator(".snippet").first.get_by_role("button", name="Copy").click()
    assert "FLOAT_E5M10_MAX 0x1.ffcp+15" in page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download e5m10.py").click()
    assert started.value.suggested_filename == "e5m10.py"


@WITHOUT_SCRIPT
def test_everything_can_be_built_without_script(page: Page, expected: Any) -> None:
    expected.statuses.add(422)
    page.goto("/en/designer")
    page.get_by_role("link", name="One bit more: Exponent bits").click()
    expect(page.locator("#designed")).to_have_text("e5m3")
    page.locator("#specials").select_option("nan-only")
    page.get_by_label("the sign").check()
    page.get_by_role("button", name="Build").click()
    expect(page.locator("#designed")).to_have_text("e5m3:specials=nan-only:unsigned")
    page.get_by_label("minus zero").check()
    page.get_by_role("button", name="Build").click()
    expect(page.locator("#negative_zero-error")).to_contain_text("has no minus zero anyway")
    expect(page.locator("#designed")).to_have_text("e5m3:specials=nan-only:unsigned")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_has_nothing_to_say(page: Page, expected: Any, language: str, theme: Literal["light", "dark"]) -> None:
    expected.statuses.add(422)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    for address in ("designer", "designer?format=e15m112&beside=float64", "designer?exponent=0&specials=ieee"):
        page.goto(f"/{language}/{address}")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"


def test_nothing_is_wider_than_a_narrow_screen(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    for address in ("designer", "designer?format=e15m112&beside=float64"):
        page.goto(f"/zh/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
