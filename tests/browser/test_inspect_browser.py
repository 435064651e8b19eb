"""Inspect in a real browser: live with script, complete without, operable by keyboard."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.formats import format_names

WITHOUT_SCRIPT = pytest.mark.browser_context_args(java_script_enabled=False)


def test_an_answer_is_there_before_anything_is_typed(page: Page) -> None:
    page.goto("/")
    expect(page).to_have_url(re.compile("/en/inspect$"))
    expect(page.locator("#value")).to_have_value("0.1")
    expect(page.locator("#format")).to_have_value("bfloat16")
    expect(page.locator("#stored")).to_have_text("0.10009765625")
    expect(page.locator("#code")).to_have_value("0x3dcd")


def test_a_click_flips_a_bit_and_back_takes_it_back(page: Page) -> None:
    page.goto("/en/inspect")
    page.locator("#bit-0").click()
    expect(page.locator("#stored")).to_have_text("0.099609375")
    expect(page).to_have_url(re.compile(r"\?bits=0x3dcc&format=bfloat16$"))
    expect(page.locator("#value")).to_have_value("0.099609375")
    expect(page).to_have_title(re.compile("^0.099609375 in bfloat16"))
    page.locator("#bit-15").click()
    expect(page.locator("#stored")).to_have_text("−0.099609375")
    page.go_back()
    expect(page.locator("#stored")).to_have_text("0.099609375")
    page.go_back()
    expect(page.locator("#stored")).to_have_text("0.10009765625")
    expect(page.locator("#value")).to_have_value("0.1")


def test_bits_are_one_stop_of_the_tab_key_and_move_by_arrows(page: Page) -> None:
    page.goto("/en/inspect")
    expect(page.locator("a.cell[tabindex='0']")).to_have_count(1)
    page.locator("#bit-15").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#bit-14")).to_be_focused()
    page.keyboard.press("End")
    expect(page.locator("#bit-0")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#stored")).to_have_text("0.099609375")
    expect(page.locator("#bit-0")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#stored")).to_have_text("0.10009765625")
    expect(page.locator("#bit-0")).to_be_focused()
    expect(page.locator("#bit-0")).to_have_accessible_name("Bit 0, mantissa, 1, weight 2^-7; activate to flip")
    expect(page.locator("a.cell[tabindex='0']")).to_have_count(1)


def test_typing_answers_at_once_and_replaces_the_address(page: Page) -> None:
    page.goto("/en/formats")
    page.goto("/en/inspect")
    page.locator("#value").press("End")
    page.locator("#value").press_sequentially("25", delay=20)
    expect(page.locator("#code")).to_have_value("0x3e00")
    expect(page.locator("#stored")).to_have_text("0.125")
    expect(page).to_have_url(re.compile(r"\?value=0.125&format=bfloat16$"))
    expect(page.locator("#value")).to_be_focused()
    page.go_back()
    expect(page).to_have_url(re.compile("/en/formats$"))


def test_a_format_keeps_the_typed_number_and_back_returns(page: Page) -> None:
    page.goto("/en/inspect?value=2049.5&format=bfloat16")
    page.locator("#format").select_option("float16")
    expect(page.locator("#stored")).to_have_text("2050")
    expect(page.locator("#value")).to_have_value("2049.5")
    page.locator(".elsewhere").get_by_role("link", name="int16", exact=True).click()
    expect(page.locator("#format")).to_have_value("int16")
    expect(page.locator("#value")).to_have_value("2049.5")
    page.go_back()
    expect(page.locator("#format")).to_have_value("float16")
    expect(page).to_have_url(re.compile(r"\?value=2049.5&format=float16$"))


def test_a_mistake_is_pointed_at_and_the_last_picture_stays(page: Page, expected: Any) -> None:
    expected.statuses.add(422)
    page.goto("/en/inspect")
    page.locator("#value").fill("12..5")
    expect(page.locator("#value-error .field__error")).not_to_be_empty()
    expect(page.locator("#value-error .field__caret")).to_have_text(re.compile(r"^12\.\.5\n   \^$"))
    expect(page.locator("#value")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#value")).to_have_value("12..5")
    expect(page.locator("#stored")).to_have_text("0.10009765625")
    expect(page.locator(".answer__stale")).to_be_visible()
    page.locator("#value").fill("12.5")
    expect(page.locator("#stored")).to_have_text("12.5")
    expect(page.locator("#value-error .field__error")).to_have_count(0)
    expect(page.locator(".answer__stale")).to_be_hidden()


def test_a_code_can_be_typed_too(page: Page) -> None:
    page.goto("/en/inspect?value=1&format=float16")
    page.locator("#code").fill("0x7c00")
    page.locator("#code").press("Enter")
    expect(page.locator("#stored")).to_have_text("∞")
    expect(page).to_have_url(re.compile(r"\?bits=0x7c00&format=float16$"))


def test_rounding_is_a_choice_that_the_address_keeps(page: Page) -> None:
    page.goto("/en/inspect")
    page.get_by_text("Rounding and overflow").click()
    page.locator("#rounding").select_option("toward_zero")
    expect(page.locator("#stored")).to_have_text("0.099609375")
    expect(page).to_have_url(re.compile(r"\?value=0.1&format=bfloat16&rounding=toward_zero$"))


def test_copied_figures_are_plain(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/en/inspect?value=-1234567.5&format=float32")
    expect(page.locator("#stored")).to_have_text("−1234567.5")
    page.get_by_role("button", name="Copy value").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "-1234567.5"
    page.locator("#stored").select_text()
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()").strip() == "-1234567.5"


def test_the_theme_is_chosen_without_a_reload_and_kept(page: Page) -> None:
    page.goto("/en/inspect")
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(18, 22, 28)"
    page.goto("/zh/formats")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_other_language_shows_the_same_question(page: Page) -> None:
    page.goto("/en/inspect")
    page.locator("#bit-0").click()
    expect(page).to_have_url(re.compile("bits=0x3dcc"))
    page.get_by_role("link", name="中文").click()
    expect(page).to_have_url(re.compile(r"/zh/inspect\?bits=0x3dcc&format=bfloat16$"))
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator(".bits__name").first).to_have_text("符号")


@WITHOUT_SCRIPT
def test_everything_works_without_script(page: Page) -> None:
    page.goto("/en/inspect")
    page.locator("#value").fill("2049.5")
    page.locator("#format").select_option("float16")
    page.get_by_role("button", name="Show the bits").click()
    expect(page.locator("#stored")).to_have_text("2050")
    page.locator("#bit-15").click()
    expect(page.locator("#stored")).to_have_text("−2050")
    expect(page).to_have_url(re.compile(r"bits=0xe801"))
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page).to_have_url(re.compile(r"bits=0xe801"))
    expect(page.get_by_role("button", name="Copy value")).to_be_hidden()


@WITHOUT_SCRIPT
def test_a_mistake_without_script_keeps_what_was_typed(page: Page, expected: Any) -> None:
    expected.statuses.add(422)
    page.goto("/zh/inspect")
    page.locator("#value").fill("<b>1,5</b>")
    page.get_by_role("button", name="显示各位").click()
    expect(page.locator("#value")).to_have_value("<b>1,5</b>")
    expect(page.locator("#value-error .field__error")).not_to_be_empty()
    expect(page.locator(".cell--blank")).to_have_count(16)


def test_a_phone_shows_every_format_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    for name in format_names():
        page.goto(f"/en/inspect?value=0.3&format={name}")
        assert page.evaluate("document.documentElement.scrollWidth") == 360, name
    long = "0." + "123456789" * 150
    for address in ("/zh/formats", "/zh/formats/float64", f"/en/inspect?value={long}&format=float64"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") == 360, address


def test_formats_are_read_on_a_phone_without_scrolling_their_table(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto("/en/formats")
    wider = "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).length"
    assert page.locator(".scroll").evaluate_all(wider) == 0
    row = page.locator(".formats tr", has_text="uint64")
    largest = row.locator("td[data-label='Largest'] .figure").bounding_box()
    smallest = row.locator("td[data-label='Smallest'] .figure").bounding_box()
    assert largest is not None
    assert smallest is not None
    assert largest["x"] + largest["width"] <= smallest["x"]


@pytest.mark.parametrize("width", [768, 1440])
def test_a_refusal_while_typing_moves_nothing(page: Page, expected: Any, width: int) -> None:
    expected.statuses.add(422)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/en/inspect")
    before = page.locator(".bits").bounding_box()
    for text in ("1e", "12..5", "−1", ""):
        with page.expect_response(re.compile("/en/inspect")):
            page.locator("#value").fill(text)
        expect(page.locator("#value")).to_have_attribute("aria-invalid", "true")
        expect(page.locator("#value-error .field__error")).to_be_visible()
        assert page.locator(".bits").bounding_box() == before, text


def test_wrapping_goes_when_a_float_is_chosen(page: Page) -> None:
    page.goto("/en/inspect?value=300&format=int8&overflow=wrap")
    expect(page.locator("#stored")).to_have_text("44")
    page.locator("#format").select_option("float16")
    expect(page.locator("#stored")).to_have_text("300")
    expect(page).to_have_url(re.compile(r"\?value=300&format=float16$"))
    expect(page.locator("#overflow")).to_have_value("")


def test_an_example_keeps_the_format(page: Page) -> None:
    page.goto("/en/inspect?value=1&format=float16")
    page.get_by_role("link", name="65520", exact=True).click()
    expect(page.locator("#stored")).to_have_text("∞")
    expect(page).to_have_url(re.compile(r"\?value=65520&format=float16$"))
    page.go_back()
    expect(page.locator("#stored")).to_have_text("1")


def test_the_picture_is_taken_away_as_a_file(page: Page) -> None:
    page.goto("/en/inspect")
    with page.expect_download() as download:
        page.get_by_role("link", name="Picture").click()
    assert download.value.suggested_filename == "bitlens-bfloat16-0x3dcd.svg"


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1440, 900)])
def test_the_picture_of_sixteen_bits_is_above_the_fold(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    for name in ("bfloat16", "float16", "int8", "float8_e4m3fn"):
        page.goto(f"/zh/inspect?value=0.1&format={name}")
        box = page.locator(".hero").bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= height, name
    cell = page.locator("a.cell .cell__bit").first.bounding_box()
    assert cell is not None
    assert min(cell["width"], cell["height"]) >= 24


def test_the_answer_prints_on_one_page(page: Page) -> None:
    for query in ("", "?value=0.1&format=float64", "?value=-127&format=int8"):
        page.goto(f"/zh/inspect{query}")
        printed = page.pdf(format="A4")
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1, query


def test_any_format_is_asked_for_by_its_name(page: Page) -> None:
    page.goto("/en/inspect?value=0.3&format=float16")
    page.get_by_text("Any other format").click()
    page.locator("#other-format").fill("posit12")
    page.locator("#other-format").press("Enter")
    expect(page).to_have_url(re.compile(r"\?value=0\.3&format=posit12$"))
    expect(page.locator("#format")).to_have_value("posit12")
    expect(page.locator("#stored")).to_have_text("0.30078125")
    page.locator("#value").fill("7")
    expect(page).to_have_url(re.compile(r"\?value=7&format=posit12$"))


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_any_format_is_asked_for_without_script(page: Page) -> None:
    page.goto("/en/inspect?value=0.3&format=float16")
    page.get_by_text("Any other format").click()
    page.locator("#other-format").fill("q7.8")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#stored")).to_have_text("0.30078125")


@pytest.mark.parametrize("width", [360, 390, 1440])
def test_no_row_of_bits_is_wider_than_the_page(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for name in ("float128", "float80", "int128", "posit64", "takum_linear32", "q15.16", "uint128"):
        page.goto(f"/zh/inspect?value=0.1&format={name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
