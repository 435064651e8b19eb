"""Figures as they are set on a page, against what a reader should see."""

import pytest

from app.web.typography import (
    approximately,
    bits_in_groups,
    figure,
    is_shortened,
    positional,
    proportion,
    prose,
    raised,
    told,
)
from app.wording import SentencePart


def seen(pieces: tuple) -> str:
    """Groups with a comma before them, powers with a caret: the gaps that the page draws."""
    before = {"group": ",", "tied": ",", "power": "^"}
    return "".join(before.get(piece.kind, "") + piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("0.1", "0.1"),
        ("-0", "−0"),
        ("1234", "1234"),
        ("12345", "12,345"),
        ("-1234567.25", "−1,234,567.25"),
        ("0.10009765625", "0.100,097,656,25"),
        ("0.000000125", "0.000,000,125"),
        ("0.0000000125", "1.25×10^−8"),
        ("1" + "0" * 22, "1×10^22"),
        ("1.5e-400", "1.5×10^−400"),
        ("inf", "∞"),
        ("-inf", "−∞"),
        ("nan", "NaN"),
        ("205/2048", "205 / 2048"),
        ("7/713623846352979940529142984724747568191373312", "7 / 2^149"),
        ("0x1.9ap-4", "0x1.9ap-4"),
    ],
)
def test_a_figure_is_grouped_and_set_with_true_signs(plain: str, expected: str) -> None:
    assert seen(figure(plain)) == expected


def test_a_long_figure_loses_its_middle_and_says_so() -> None:
    long = "0." + "123" * 40
    assert seen(figure(long, 5)) == "0.123,123…,123,123"
    assert is_shortened(long, 5)
    assert not is_shortened(long, 100)
    assert seen(positional(long)).replace(",", "") == long


def test_all_digits_stay_where_they_stand() -> None:
    tiny = "-0." + "0" * 44 + "14"
    assert seen(positional(tiny)).replace(",", "") == tiny.replace("-", "−")


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ("0.00009765625", "0.00009766"),
        ("1/3", "0.3333"),
        ("12345678901", "1.235e10"),
        ("0", "0"),
        ("1e-999999999", "1e-999999999"),
        ("inf", "inf"),
    ],
)
def test_a_figure_rounded_for_reading(plain: str, expected: str) -> None:
    assert approximately(plain) == expected


def test_relative_errors_stand_under_each_other() -> None:
    given = ("0.015625", "1", "0.0000000149011612", "0", "0.66666666666666667", "inf", "2.5e400")
    assert [proportion(text) for text in given] == ["0.0156", "1.0000", "1.49e-8", "0", "0.6667", "inf", "2.50e400"]


def test_sentences_raise_their_powers() -> None:
    assert seen(prose("between 2^-4 and 2^-3, so -5; e-4 and 1-2 stay")) == (
        "between 2^−4 and 2^−3, so −5; e-4 and 1-2 stay"
    )


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("number", "0.10009765625", "0.100,097,656,25"),
        ("number", "≈ -9.9999999999999694e-311", "≈ −9.999,999,999,999,969,4×10^−311"),
        ("number", "inf", "∞"),
        ("number", "true", "true"),
        ("sum", "-9223372036854775808 + 2 + … + 1", "−9,223,372,036,854,775,808 + 2 + … + 1"),
        ("bits", "1.1001101", "1.1001,101"),
        ("bits", "1001101", "1001101"),
        ("text", "it is -", "it is −"),
    ],
)
def test_numbers_in_sentences_are_figures(kind: str, text: str, expected: str) -> None:
    assert seen(told((SentencePart(kind, text),))) == expected


def test_superscript_characters_are_raised_digits() -> None:
    assert seen(raised("−1.8 × 10⁻¹⁰")) == "−1.8 × 10^−10"
    assert seen(raised("16")) == "16"


def test_bits_are_grouped_from_the_right() -> None:
    assert seen(bits_in_groups("1001101")) == "100,1101"
