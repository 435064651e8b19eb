"""Figures as a reader likes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.histogram import histogram_of
from app.web.quantities import count_text, decibel_text, duration_text, number_text, share_text, size_text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (1536, "1.54 kB"), (999_499, "999 kB"), (999_500, "1 MB"),
     (90_868_376, "90.9 MB"), (64 << 30, "68.7 GB"), (2 * 10**15, "2000 TB")],
)  # fmt: skip
def test_sizes(size: int, text: str) -> None:
    assert size_text(size).replace("\u202f", " ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (-1.5, "−1.5"), (0.0001234, "0.0001234"), (1.234567e-7, "1.235 × 10⁻⁷"), (None, "–"),
     (65504.0, "65504"), (3.4028234663852886e38, "3.403 × 10³⁸"), (-5e-324, "−4.941 × 10⁻³²⁴"), (2**63, "9.223 × 10¹⁸"),
     (22713728, "22 713 728"), (-128, "−128"), (True, "1"), (9.99996, "10")],
)  # fmt: skip
def test_numbers(value: float | None, text: str) -> None:
    assert number_text(value).replace("\u202f", " ") == text


@given(st.floats(-1e308, 1e308))
def test_any_number_is_near_what_is_shown(value: float) -> None:
    text = number_text(value).replace("\u202f", "").replace("−", "-")
    mantissa, _, power = text.partition("×10")
    digits = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    shown = float(f"{mantissa}e{digits or 0}")
    assert shown == pytest.approx(value, rel=1e-3, abs=1e-320)


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_share_is_never_rounded_to_none_or_all(part: int, more: int) -> None:
    text = share_text(part, part + more)
    assert (text == "0") == (part == 0)
    assert not text.startswith("100")


def test_the_rest() -> None:
    assert share_text(3, 3).startswith("100")
    assert decibel_text("inf").startswith("∞")
    assert decibel_text("-inf").startswith("−∞")
    assert number_text("-inf") == "−∞"
    assert decibel_text(-0.04).replace("\u202f", " ") == "−0.0 dB"
    assert [duration_text(seconds) for seconds in (0, 59.6, 3599, 3600)] == ["0:00", "1:00", "59:59", "1:00:00"]
    assert count_text(-12345).replace("\u202f", " ") == "−12 345"
    assert count_text(9999) == "9999"


def test_histograms() -> None:
    assert histogram_of(None, width=64, height=8) is None
    assert histogram_of({"low": 0, "high": 0, "counts": [0] * 64}, width=64, height=8) is None
    drawn = histogram_of({"low": -1.0, "high": 3.0, "counts": [1, 0, 1000, 500]}, width=40, height=10)
    assert drawn is not None
    assert drawn.path == "M0 10V9.25H10V10H20V0H30V5H40V10Z"
    assert (drawn.zero_at, drawn.peak_low, drawn.peak_high) == (10.0, "1", "2")
    assert [bar.count for bar in drawn.bins] == [1, 0, 1000, 500]
    widest = histogram_of({"low": -1.7e308, "high": 1.7e308, "counts": [1] * 64}, width=64, height=8)
    assert widest is not None
    assert widest.zero_at == 32.0
    assert "inf" not in str(widest)
