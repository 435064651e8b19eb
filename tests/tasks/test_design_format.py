"""A design's choices make its format and come back from it; its constants are what C and Python read in them."""

import re
import shutil
import subprocess
from fractions import Fraction
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.formats import CATALOG, FloatFormat, find_format
from app.tasks.design_format import SWITCHES, build_format, parts_of_name, read_choices, resized
from app.tasks.format_figures import figures_of
from app.wording.design_documents import c_header, constants_name, python_module

NAMES = (
    *("e4m3:specials=ieee", "e5m2:specials=nan-only", "e5m10", "e8m23:bias=100", "e11m52", "e8m0:unsigned"),
    *("e4m3:bias=-3:unsigned:no-subnormals:no-zero:specials=none", "e0m7", "e3m4:specials=infinity-nan"),
    *("e15m112", "e15m63", "e15m100:bias=20000", "e5m2:specials=nan-only:no-negative-zero", "float8_e8m0fnu"),
)
FLOATS = [each for each in CATALOG if isinstance(each, FloatFormat) and not each.has_explicit_integer_bit]


def built(name: str) -> FloatFormat:
    return build_format(parts_of_name(name))


@pytest.mark.parametrize("number_format", FLOATS, ids=lambda each: each.name)
def test_every_listed_float_is_taken_apart_and_put_together_again(number_format: FloatFormat) -> None:
    again = built(number_format.name)
    assert again.field_widths == number_format.field_widths
    assert figures_of(again) == figures_of(number_format)
    codes = range(1 << again.width) if again.width <= 12 else (0, 1, again.sign_mask, again.sign_mask - 1)
    assert [again.value_of(code) for code in codes] == [number_format.value_of(code) for code in codes]
    assert find_format(again.name) in (again, number_format)


@given(
    st.integers(0, 15),
    st.integers(0, 112),
    st.one_of(st.just(""), st.integers(-70000, 70000).map(str)),
    st.sampled_from(["", "ieee", "infinity-nan", "nan-only", "none"]),
    st.tuples(*(st.sampled_from(["", "yes", "no"]) for _ in SWITCHES)),
)
def test_choices_make_a_format_whose_name_makes_it_again_or_are_refused(
    exponent: int, mantissa: int, bias: str, specials: str, switches: tuple[str, ...]
) -> None:
    given_choices = {"exponent": str(exponent), "mantissa": str(mantissa), "bias": bias, "specials": specials}
    given_choices |= dict(zip(SWITCHES, switches, strict=True))
    try:
        made = build_format(read_choices(given_choices))
    except InvalidInput:
        return
    assert (made.exponent_bits, made.mantissa_bits) == (exponent, mantissa)
    assert bias == "" or made.bias == int(bias)
    assert made.signed is (switches[0] != "yes")
    assert build_format(parts_of_name(made.name)) == made
    assert re.fullmatch(r"[a-z][a-z0-9_]*", constants_name(made))


@pytest.mark.parametrize(
    ("choices", "code"),
    [
        ({"exponent": "16"}, "format.option-range"),
        ({"mantissa": "-1"}, "format.option-range"),
        ({"bias": "much"}, "format.option-range"),
        ({"specials": "some"}, "format.specials"),
        ({"zero": "maybe"}, "designer.choice"),
        ({"exponent": "15", "mantissa": "112", "unsigned": "no"}, None),
        ({"exponent": "0", "specials": "ieee"}, "format.no-exponent-for-specials"),
        ({"zero": "no"}, "format.zero-without-subnormals"),
        ({"unsigned": "yes", "negative_zero": "no"}, "format.no-minus-zero-anyway"),
    ],
)
def test_what_does_not_fit_together_is_refused(choices: dict[str, str], code: str | None) -> None:
    if code is None:
        assert build_format(read_choices(choices)).width == 128
        return
    with pytest.raises(InvalidInput) as caught:
        build_format(read_choices(choices))
    assert caught.value.code == code


@pytest.mark.parametrize(("name", "code"), [("int8", "designer.not-a-float"), ("float80", "designer.integer-bit")])
def test_only_floats_of_parts_are_designed(name: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parts_of_name(name)
    assert caught.value.code == code


def test_one_bit_more_keeps_the_usual_bias_and_ends_at_the_ends() -> None:
    parts = parts_of_name("e5m10")
    more = resized(parts, exponent=1)
    assert more is not None
    assert more.name == "e6m10"
    shifted = resized(parts_of_name("e5m10:bias=3"), exponent=1)
    assert shifted is not None
    assert shifted.bias == 3
    assert resized(parts_of_name("e15m10"), exponent=1) is None
    assert resized(parts_of_name("e1m2"), exponent=-1) is None


def expected_numbers(number_format: FloatFormat) -> dict[str, Fraction]:
    figures = figures_of(number_format)
    named = {
        "MAX": figures.max,
        "MIN_NORMAL": figures.min_normal,
        "MIN_SUBNORMAL": figures.min_subnormal,
        "EPSILON": figures.eps,
    }
    return {name: value for name, value in named.items() if value is not None}


@pytest.mark.parametrize("name", NAMES)
def test_the_python_module_holds_the_exact_figures(name: str) -> None:
    number_format = built(name)
    read: dict[str, object] = {}
    exec(compile(python_module(number_format), "constants", "exec"), read)  # noqa: S102  our own text
    assert read["NAME"] == number_format.name
    for word, value in expected_numbers(number_format).items():
        assert read[word] == value, word
    assert read["MAX"] == number_format.value_of(int(str(read["MAX_CODE"])))
    masks = [int(str(read.get(f"{word}_MASK", 0))) for word in ("SIGN", "EXPONENT", "MANTISSA")]
    assert sum(masks) == (1 << number_format.width) - 1
    assert masks[0] & masks[1] == masks[1] & masks[2] == 0
    assert masks[1] >> int(str(read["EXPONENT_SHIFT"])) == (1 << number_format.exponent_bits) - 1
    assert ("NAN_CODE" in read) is number_format.has_nan
    if number_format.has_nan:
        assert number_format.value_of(int(str(read["NAN_CODE"]))) is None


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no C compiler here")
def test_a_compiler_reads_the_exact_figures_in_the_header(tmp_path: Path) -> None:
    """One program for all the formats: it prints what the compiler made of each constant."""
    includes, prints, expected = [], [], []
    for name in NAMES:
        number_format = built(name)
        prefix = f"FLOAT_{constants_name(number_format).upper()}"
        text = c_header(number_format)
        (tmp_path / f"{prefix}.h").write_text(text, encoding="ascii")
        includes.append(f'#include "{prefix}.h"')
        prints += [f'puts({prefix}_NAME); printf("%d %d\\n", {prefix}_BITS, {prefix}_BIAS);']
        expected += [number_format.name, f"{number_format.width} {number_format.bias}"]
        for word, value in expected_numbers(number_format).items():
            is_text = f'{prefix}_{word} "' in text
            prints.append(f"puts({prefix}_{word});" if is_text else f'printf("%a\\n", {prefix}_{word});')
            expected.append(value)
            if is_text:
                with pytest.raises((OverflowError, AssertionError)):
                    assert Fraction(float(value)) == value
        if number_format.width <= 64:
            prints.append(f'printf("%" PRIx64 "\\n", {prefix}_MAX_CODE);')
            expected.append(f"{number_format.code_of(number_format.max_magnitude):x}")
        else:
            prints.append(f'printf("%" PRIx64 "%016" PRIx64 "\\n", {prefix}_MAX_CODE_HIGH, {prefix}_MAX_CODE_LOW);')
            expected.append(f"{number_format.code_of(number_format.max_magnitude):x}")
    head = ["#include <stdio.h>", "#include <inttypes.h>", *includes, "int main(void) {"]
    source, program = tmp_path / "print.c", tmp_path / "print"
    source.write_text("\n".join([*head, *prints, "return 0; }", ""]), encoding="ascii")
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
    printed = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    read = [exact(line) if isinstance(want, Fraction) else line for line, want in zip(printed, expected, strict=True)]
    assert read == expected


def exact(text: str) -> Fraction:
    """A C hexadecimal number."""
    match = re.fullmatch(r"0x(\w+)(?:\.(\w+))?p([+-]\d+)", text)
    assert match, text
    digits = match[2] or ""
    return Fraction(int(match[1] + digits, 16)) * Fraction(2) ** (int(match[3]) - 4 * len(digits))


def test_switches_are_the_options_of_a_name() -> None:
    for choice in product(("yes", "no"), repeat=len(SWITCHES)):
        try:
            made = build_format(read_choices({"specials": "nan-only"} | dict(zip(SWITCHES, choice, strict=True))))
        except InvalidInput:
            continue
        words = ("unsigned", "no-subnormals", "no-zero", "no-negative-zero")
        are_set = [choice[0] == "yes", *(each == "no" for each in choice[1:])]
        assert [f":{word}" in made.name for word in words] == are_set
