"""Reports name the search that found the scales."""

import pytest

from app.schemes.entries import SchemeOptions
from app.schemes.registry import ENTRIES, find_scheme
from app.schemes.scheme import Choices, ScaleRule
from app.schemes.search_names import search_name


@pytest.mark.parametrize("name", ENTRIES)
def test_every_scheme_with_a_rule_names_its_search(name: str) -> None:
    found = search_name(find_scheme(name), Choices(), is_compiled=True)
    if "scale" in ENTRIES[name].options or name.startswith(("mx", "nvfp4")):
        assert found is not None
        assert found.startswith("mse ")
        assert found.endswith("-1 compiled")
    else:
        assert found is None


@pytest.mark.parametrize(
    ("name", "options", "choices", "expected"),
    [
        ("int8", None, Choices(scale=ScaleRule.ABSMAX), "absmax"),
        ("int4", None, Choices(scale=ScaleRule.PERCENTILE, percentile=99.5), "percentile=99.5"),
        ("mxfp4", SchemeOptions(mx_scale="rceil"), Choices(), "rceil"),
        ("nvfp4", None, Choices(), "mse every-scale-1 plain"),
        ("int4", None, Choices(), "mse sweep-1 plain"),
        ("q6_k", None, Choices(), "mse super-blocks-1 plain"),
    ],
)
def test_names(name: str, options: SchemeOptions | None, choices: Choices, expected: str) -> None:
    assert search_name(find_scheme(name, options), choices, is_compiled=False) == expected
