"""axe finds nothing on any page, in both languages and both themes."""

from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PAGES = (
    "inspect",
    "inspect?value=-127&format=int8",
    "inspect?value=1e-310&format=float64",
    "inspect?bits=0x7fc0&format=bfloat16",
    "inspect?value=12..5",
    "inspect?value=3.14&format=posit16",
    "inspect?value=3.14&format=takum_linear16",
    "inspect?value=-0&format=float128",
    "inspect?value=0.3&format=nf4",
    "formats",
    "formats/float8_e4m3fn",
    "compare",
    "numberline",
    "designer",
    "quantize",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_axe_has_nothing_to_say(page: Page, expected: Any, language: str, theme: Literal["light", "dark"]) -> None:
    expected.statuses.add(422)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    for address in PAGES:
        page.goto(f"/{language}/{address}")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{address}: {found.generate_report()}"
