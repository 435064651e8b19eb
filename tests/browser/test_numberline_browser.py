"""The number line by hand: drag, wheel and keys replace the picture and the address; all of it without script too."""

import re
from fractions import Fraction
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

WITHOUT_SCRIPT = pytest.mark.browser_context_args(java_script_enabled=False)
TWO = "numberline?formats=float8_e4m3fn+int4"


def ends(page: Page) -> tuple[Fraction, Fraction]:
    query = parse_qs(urlsplit(page.url).query)
    return Fraction(query["from"][0]), Fraction(query["to"][0])


def strip_box(page: Page) -> Any:
    return page.locator("[data-strip]").first.bounding_box()


def test_a_drag_chooses_a_stretch(page: Page) -> None:
    page.goto(f"/en/{TWO}")
    box = strip_box(page)
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 5)
    expect(page.locator(".lanes__choice")).to_be_visible()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("from=-?0"))
    low, high = ends(page)
    assert abs(low) < Fraction(1, 10)
    assert abs(high - 4) < Fraction(1, 10)
    expect(page.locator("#to")).to_have_value(re.compile(r"^(4|3\.9|4\.0)"))
    expect(page.locator(".lanes__choice")).to_have_count(0)


def test_the_wheel_zooms_about_the_pointer_and_shift_drag_moves(page: Page) -> None:
    page.goto(f"/en/{TWO}")
    box = strip_box(page)
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 5)
    page.keyboard.down("Control")
    for _ in range(3):
        page.mouse.wheel(0, -60)
    page.keyboard.up("Control")
    expect(page).not_to_have_url(re.compile("numberline.formats=float8_e4m3fn.int4$"))
    low, high = ends(page)
    assert 2 < high - low < 16
    assert low < 4 < high
    before = page.url
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 5, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page).not_to_have_url(before)
    moved_low, moved_high = ends(page)
    assert abs((moved_high - moved_low) - (high - low)) < (high - low) / 100
    assert abs(moved_low - (low + (high - low) / 2)) < (high - low) / 50


def test_keys_zoom_move_and_walk_along_the_numbers(page: Page) -> None:
    page.goto(f"/en/{TWO}")
    page.locator("[data-lanes]").focus()
    page.keyboard.press("+")
    expect(page.locator("#to")).to_have_value("4")
    expect(page).to_have_url(re.compile("from=-4&to=4"))
    page.locator("[data-lanes]").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("from=-2&to=6"))
    marks = page.locator("[data-strip]").nth(1).locator(".lane__mark")
    marks.first.focus()
    page.keyboard.press("ArrowRight")
    expect(marks.nth(1)).to_be_focused()
    expect(marks.nth(1)).to_have_accessible_name("-1, 0xf")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"inspect\?bits=0xf&format=int4"))


def test_fields_answer_at_once_and_a_refusal_leaves_the_picture(page: Page, expected: Any) -> None:
    expected.statuses.add(422)
    page.goto(f"/en/{TWO}")
    page.locator("#value").fill("0.3")
    page.locator("#value").press("Tab")
    expect(page.locator(".lane__landing")).to_have_count(2)
    expect(page).to_have_url(re.compile("value=0.3"))
    page.locator("#from").fill("9")
    page.locator("#from").press("Tab")
    expect(page.locator("#to-error")).to_contain_text("The interval must rise: 9 is not below 8.")
    expect(page.locator(".lane__landing")).to_have_count(2)
    page.locator("#from").fill("0.7")
    page.locator("#from").press("Tab")
    expect(page.locator(".field__error")).to_have_count(0)
    page.get_by_role("link", name="Zoom in").click()
    expect(page).not_to_have_url(re.compile("from=0.7"))
    page.go_back()
    expect(page.locator("#from")).to_have_value("0.7")


@WITHOUT_SCRIPT
def test_everything_can_be_reached_without_script(page: Page) -> None:
    page.goto(f"/en/{TWO}")
    page.get_by_role("link", name="Zoom in").click()
    expect(page).to_have_url(re.compile("from=-4&to=4"))
    page.get_by_role("link", name="Show the whole range of float8_e4m3fn").click()
    expect(page).to_have_url(re.compile("from=-448&to=448"))
    page.locator("#scale").select_option("log")
    page.get_by_role("button", name="Draw").click()
    expect(page).to_have_url(re.compile("scale=log"))
    expect(page.locator(".lane__mark")).not_to_have_count(0)
    expect(page.locator("[data-gestures]")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_has_nothing_to_say(page: Page, expected: Any, language: str, theme: Literal["light", "dark"]) -> None:
    expected.statuses.add(422)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    deep = "numberline?formats=float64+float32&from=1&to=1.0000000000000005&value=1.0000000000000003"
    for address in ("numberline?value=0.3", deep, "numberline?from=2&to=1", "numberline?scale=log&from=-448&to=448"):
        page.goto(f"/{language}/{address}")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"


def test_nothing_is_wider_than_a_narrow_screen(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    for address in ("numberline?value=0.3", "numberline?formats=float64+float128&from=-1e308&to=1e308&scale=log"):
        page.goto(f"/zh/{address}")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
