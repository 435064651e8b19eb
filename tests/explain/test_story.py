"""The steps tell what really happened, and every one has its sentence in both languages."""

import itertools
import random

import pytest

from app.errors import InvalidInput
from app.exact import Overflow, Rounding, decode, encode, parse
from app.explain import tell_code, tell_encoding
from app.formats import CATALOG, Format, find_format
from app.wording import Language, say


def story(text: str, name: str, rounding: str = "nearest_even", overflow: str | None = None) -> list[str]:
    return [step.id for step in tell_encoding(text, encode(parse(text), find_format(name), rounding, overflow))]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (
            "0.1",
            "bfloat16",
            "read.exact normalise.exact cut.bits decide.above-half store.normal result.rounded",
        ),
        ("0.5", "float16", "read.exact normalise.exact cut.nothing store.normal result.exact"),
        ("0x1F", "float16", "read.value normalise.exact cut.nothing store.normal result.exact"),
        ("2049", "float16", "read.exact normalise.exact cut.bits decide.tie-even-down store.normal result.rounded"),
        ("2051", "float16", "read.exact normalise.exact cut.bits decide.tie-even-up store.normal result.rounded"),
        (
            "1e-7",
            "float16",
            "read.value normalise.exact subnormal.shift cut.bits decide.above-half store.subnormal result.rounded",
        ),
        (
            "0x1.ffcp-15",
            "float16",
            (
                "read.value normalise.exact subnormal.shift cut.bits decide.tie-even-up subnormal.becomes-normal "
                "store.normal result.rounded"
            ),
        ),
        (
            "4095.9",
            "float16",
            "read.exact normalise.exact cut.bits decide.above-half decide.carry store.normal result.rounded",
        ),
        (
            "65520",
            "float16",
            "read.exact normalise.exact cut.bits decide.tie-even-up decide.carry overflow.infinity result.rounded",
        ),
        ("1e999999999", "float16", "read.exact reach.above overflow.infinity result.rounded"),
        ("1e-999999999", "float16", "read.exact reach.below underflow.zero result.rounded"),
        ("nan", "float16", "read.nan special.nan"),
        ("-snan", "float16", "read.nan special.signalling"),
        ("nan(0x12)", "float16", "read.nan special.payload"),
        ("nan(0x12)", "float8_e4m3fn", "read.nan special.payload-dropped"),
        ("-inf", "float16", "read.exact special.infinity"),
        ("inf", "float8_e4m3fn", "read.exact special.infinity-nan"),
        ("-0", "float16", "read.exact special.zero"),
        ("-0", "float8_e4m3fnuz", "read.exact special.no-negative-zero"),
        ("0", "float8_e8m0fnu", "read.exact special.no-zero"),
        ("-1", "float8_e8m0fnu", "read.exact special.negative"),
        ("1e-60", "float8_e8m0fnu", "read.exact reach.below underflow.smallest store.exponent result.rounded"),
        ("-127", "int8", "read.exact integer.negative-weights"),
        ("0", "int8", "read.exact integer.zero"),
        ("2.5", "int8", "read.exact integer.cut decide.tie-even-down integer.weights"),
        ("300", "uint8", "read.exact integer.saturate integer.weights"),
        ("inf", "uint8", "read.exact integer.infinity integer.weights"),
        ("3", "bool", "read.exact bool.one"),
        (
            "0.1",
            "posit16",
            (
                "read.exact normalise.exact posit.regime-down posit.exponent tapered.cut decide.above-half "
                "result.rounded"
            ),
        ),
        (
            "4194304",
            "posit8",
            (
                "read.exact normalise.exact posit.regime-up posit.exponent tapered.cut decide.tie-even-down "
                "tapered.border result.rounded"
            ),
        ),
        ("1e-99", "posit8", "read.exact tapered.below result.rounded"),
        ("-1e999999999", "posit8", "read.exact tapered.above tapered.negate result.rounded"),
        ("inf", "takum_linear8", "read.exact tapered.infinity"),
        (
            "-1",
            "takum_linear16",
            (
                "read.exact normalise.exact takum.direction-up takum.regime-alone tapered.nothing-cut tapered.negate "
                "result.exact"
            ),
        ),
        ("-3.7", "q7.8", "read.exact fixed.cut decide.below-half fixed.read-negative fixed.value"),
        ("0.5", "q7.8", "read.exact fixed.units fixed.read fixed.value"),
        ("-5", "int8:sign-magnitude", "read.exact code.negative integer.magnitude integer.with-sign"),
        ("-0", "int8:ones-complement", "read.exact integer.minus-zero"),
        ("0.3", "nf4", "read.exact codebook.neighbours codebook.above-midpoint"),
        ("0.5", "codebook:-1,0,1", "read.exact codebook.neighbours codebook.tie-even"),
        ("9", "codebook:-1,0,1", "read.exact codebook.beyond"),
        ("1", "codebook:-1,0,1", "read.exact codebook.exact"),
        ("inf", "binary8p3se", "read.exact special.infinity-code"),
        ("nan", "binary8p3se", "read.nan special.one-nan"),
        ("1", "float80", "read.exact normalise.exact cut.nothing store.integer-bit result.exact store.slot"),
    ],
)
def test_story(text: str, name: str, expected: str) -> None:
    assert story(text, name) == expected.split()


def test_modes_are_named() -> None:
    assert "decide.toward-zero" in story("0.1", "float16", "toward_zero")
    assert "decide.toward-positive-down" in story("-0.1", "float16", "toward_positive")
    assert "decide.to-odd-up" in story("2048.5", "float16", "to_odd")
    assert "decide.tie-away" in story("2049", "float16", "nearest_away")
    assert "overflow.directed" in story("1e9", "float16", "toward_zero")
    assert "overflow.saturate" in story("1e9", "float16", overflow="saturate")
    assert "integer.wrap" in story("300", "int8", overflow="wrap")


def test_figures_of_the_cut() -> None:
    """0.1 = 1.1001 1001 1001... * 2^-4."""
    steps = {step.id: step.figures for step in tell_encoding("0.1", encode(parse("0.1"), find_format("bf16")))}
    assert steps["normalise.exact"] == {"significand": "1.6", "exponent": -4, "sign": ""}
    cut = steps["cut.bits"]
    assert (cut["kept"], cut["guard"], cut["round"], cut["sticky"]) == ("1.1001100", 1, 1, 1)
    assert steps["store.normal"]["mantissa"] == "1001101"


def test_two_complement_weights() -> None:
    (step,) = tell_code(decode(0b10000001, find_format("int8")))
    assert step.figures["terms"] == "-128 + 1"
    assert step.figures["value"] == "-127"


SENTENCE_TEXTS = [
    "0",
    "-0",
    "0.1",
    "-2.5",
    "3",
    "2049",
    "4095.9",
    "1e9",
    "-1e-9",
    "1e-60",
    "1e999999999",
    "-1e-999999999",
]
SENTENCE_TEXTS += [
    "inf",
    "-inf",
    "nan",
    "-snan(0x3)",
    "nan(0x1ffff)",
    "0x1.ffcp-15",
    "65519.9",
    "127.5",
    "0b101",
    "1e38",
]


@pytest.mark.parametrize("number_format", CATALOG, ids=lambda f: f.name)
def test_every_step_has_a_sentence_in_both_languages(number_format: Format) -> None:
    """KeyError, a missing figure or untranslated text would show here."""
    steps = []
    for text, rounding, overflow in itertools.product(SENTENCE_TEXTS, Rounding, (None, *Overflow)):
        try:
            steps += tell_encoding(text, encode(parse(text), number_format, rounding, overflow))
        except InvalidInput:
            continue
    source = random.Random(1)
    codes = (
        range(256) if number_format.width == 8 else [0, *(source.getrandbits(number_format.width) for _ in range(99))]
    )
    for code in codes:
        steps += tell_code(decode(code & ((1 << number_format.width) - 1), number_format))
    for step in {step.id: step for step in steps}.values():
        english, chinese = say(step.id, step.figures), say(step.id, step.figures, Language.CHINESE)
        assert english != chinese
        assert "{" not in english + chinese


@pytest.mark.parametrize(
    ("code", "step"),
    [
        (0x00008000000000000000, "x87.pseudo-denormal"),
        (0x3FFF7000000000000000, "x87.unnormal"),
        (0x7FFF0000000000000000, "x87.pseudo-infinity"),
        (0x7FFF4000000000000000, "x87.pseudo-nan"),
    ],
)
def test_codes_of_x87_that_contradict_themselves_are_named(code: int, step: str) -> None:
    assert step in [each.id for each in tell_code(decode(code, find_format("float80")))]


@pytest.mark.parametrize("name", ["posit6", "posit8", "posit7:es=1", "posit5:es=0", "takum_linear6", "takum_linear8"])
def test_the_cut_that_is_told_is_the_one_that_was_made(name: str) -> None:
    """The kept bits are the code, or the one below it; up is told exactly where the code is one more."""
    number_format = find_format(name)
    source = random.Random(name)
    for _ in range(200):
        text = f"{source.uniform(0.01, 100):.6f}"
        for rounding in Rounding:
            encoding = encode(parse(text), number_format, rounding)
            steps = {step.id: step.figures for step in tell_encoding(text, encoding)}
            if "tapered.cut" not in steps:
                continue
            kept = int(str(steps["tapered.cut"]["kept"]), 2)
            up = encoding.code - kept
            assert up in (0, 1)
            word = "above" if up else "below"
            told = [each for each in steps if each.startswith("decide.")]
            assert len(told) == 1
            if told[0] in ("decide.above-half", "decide.below-half"):
                assert told[0] == f"decide.{word}-half"
