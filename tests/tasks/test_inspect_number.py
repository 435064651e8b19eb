"""The use case and its JSON document: what pages, API and CLI all show."""

import json
import random
from decimal import Decimal
from fractions import Fraction

import pytest

from app.errors import AppError, InvalidInput, NumberSyntaxError
from app.exact import LONGEST_TEXT, Finite
from app.formats import CATALOG, COMMON, Format, find_format, format_names
from app.tasks.describe_format import describe_format
from app.tasks.inspect_number import inspect_number
from app.tasks.inspection import Inspection, InspectRequest
from app.wording.format_documents import format_document, formats_document
from app.wording.number_documents import inspection_document


def inspect(name: str = "bfloat16", **asked: str) -> Inspection:
    return inspect_number(InspectRequest(format=name, **asked))


def test_the_first_answer() -> None:
    document = inspection_document(inspect(value="0.1"))
    assert document["hex"] == "0x3dcd"
    assert document["bits"] == "0011110111001101"
    assert document["fields"] == [
        {"name": "sign", "bits": "0", "value": "0"},
        {"name": "exponent", "bits": "01111011", "value": "123"},
        {"name": "mantissa", "bits": "1001101", "value": "77"},
    ]
    assert document["class"] == "normal"
    assert document["value"] == "0.10009765625"
    assert document["fraction"] == "205/2048"
    assert document["hexfloat"] == "0x1.9ap-4"
    assert document["ulp"] == "0.00048828125"
    assert document["error"] == {
        "absolute": "0.00009765625",
        "relative": "0.0009765625",
        "ulps": "0.2",
        "direction": "above",
    }
    assert document["previous"] == {"hex": "0x3dcc", "value": "0.099609375"}
    assert document["next"] == {"hex": "0x3dce", "value": "0.1005859375"}
    assert document["witnesses"]["torch"]["agrees"] is True
    assert [row["format"] for row in document["elsewhere"]] == [f.name for f in COMMON if f.name != "bfloat16"]


@pytest.mark.parametrize("number_format", CATALOG, ids=lambda f: f.name)
@pytest.mark.parametrize(
    "text", ["0.1", "-3", "0", "-0", "1e999999999", "1e-999999999", "inf", "-inf", "nan", "9" * 4096]
)
def test_documents_are_strict_json(number_format: Format, text: str) -> None:
    try:
        document = inspection_document(inspect(number_format.name, value=text))
    except InvalidInput:
        assert text == "nan"
        return
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again["input"] == text
    assert len(again["bits"]) == number_format.width
    assert "".join(field["bits"] for field in again["fields"]) == again["bits"]
    assert int(again["bits"], 2) == int(again["hex"], 16) == int(again["code"])


def test_asked_by_bits() -> None:
    inspection = inspect("float8_e4m3fn", bits="0x7e")
    assert inspection.by_bits
    assert (inspection.input, inspection.value) == ("448", "448")
    assert inspection.error is None
    assert inspection.next is None
    assert all(witness.agrees for witness in inspection.witnesses)


@pytest.mark.parametrize("bits", ["01111110", "0b01111110", "0B01111110", "0x7e", "0X7E", " 0x7E "])
def test_spellings_of_a_code(bits: str) -> None:
    assert inspect("float8_e4m3fn", bits=bits).hex == "0x7e"


@pytest.mark.parametrize(
    ("name", "bits", "code"),
    [
        ("float16", "0x3dc", "code.hex"),
        ("float16", "0x03dcd", "code.hex"),
        ("float16", "0x3dcg", "code.hex"),
        ("float16", "0x", "code.hex"),
        ("float16", "0x_3dc", "code.hex"),
        ("float16", "", "code.binary"),
        ("float16", "101", "code.binary"),
        ("float16", "0b" + "1" * 17, "code.binary"),
        ("float16", "1" * 10**6, "code.binary"),
        ("float16", "0x" + "f" * 10**6, "code.hex"),
        ("float16", "\uff11" * 16, "code.binary"),
        ("bool", "0x2", "code.out-of-range"),
    ],
)
def test_codes_that_are_none(name: str, bits: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        inspect(name, bits=bits)
    assert refused.value.code == code
    assert refused.value.figures["width"] == next(f.width for f in CATALOG if f.name == name)


@pytest.mark.parametrize("number_format", [f for f in CATALOG if f.width <= 8], ids=lambda f: f.name)
def test_every_code_can_be_asked_for_and_its_input_leads_back(number_format: Format) -> None:
    for code in range(1 << number_format.width):
        inspection = inspect(number_format.name, bits=f"{code:0{number_format.width}b}")
        assert inspection.code == code
        assert all(witness.agrees for witness in inspection.witnesses)
        again = inspect(number_format.name, value=inspection.input)
        assert again.code == code


@pytest.mark.parametrize("name", ["float16", "float8_e5m2"])
@pytest.mark.parametrize("field_code", ["nan", "-nan", "snan", "nan(0x1)", "-snan(0x1)"])
def test_nan_payloads_survive(name: str, field_code: str) -> None:
    inspection = inspect(name, value=field_code)
    again = inspect(name, bits=inspection.hex)
    assert again.value == "nan"
    assert inspect(name, value=again.input).hex == inspection.hex


def test_weights_of_an_integer() -> None:
    inspection = inspect("int8", bits="10000001")
    assert inspection.value == "-127"
    assert [weight.weight for weight in inspection.weights][:2] == ["-128", "64"]
    assert sum(int(weight.weight) for weight in inspection.weights if weight.is_set) == -127
    assert inspect("uint64", value="18446744073709551615").weights[0].weight == str(2**63)


@pytest.mark.parametrize(
    ("value", "name", "relative", "direction"),
    [
        ("0", "float16", None, "exact"),
        ("1", "float16", "0", "exact"),
        ("1e999999999", "float16", "inf", "above"),
        ("-1e999999999", "float16", "inf", "below"),
        ("1e999999999", "int8", "1", "below"),
        ("-1e-999999999", "float16", "1", "above"),
        ("inf", "int8", None, "below"),
        ("3", "float8_e4m3fn", "0", "exact"),
        ("2.5", "int8", "0.2", "below"),
        ("3e-3", "float8_e4m3fn", "0.30208333333333333", "above"),
    ],
)
def test_error_of_rounding(value: str, name: str, relative: str | None, direction: str) -> None:
    error = inspect(name, value=value).error
    assert error is not None
    assert (error.relative, error.direction) == (relative, direction)


@pytest.mark.parametrize(
    "value", ["0.1", "1" * 400 + "." + "3" * 3000, "0." + "9" * 4000, "7.77e-300", "0x1.123456789p-1000"]
)
@pytest.mark.parametrize("name", ["float64", "float32", "float16", "int64"])
def test_error_is_the_exact_difference(value: str, name: str) -> None:
    inspection = inspect(name, value=value)
    if inspection.kind == "infinity":
        return
    from app.exact import parse

    number = parse(value)
    assert isinstance(number, Finite)
    assert inspection.error is not None
    difference = abs(Fraction(inspection.value) - number.fraction())
    absolute = parse(inspection.error.absolute)
    assert isinstance(absolute, Finite)
    assert absolute.fraction() == difference


def test_elsewhere_says_why_not() -> None:
    rows = {row.format: row for row in inspect(value="nan").elsewhere}
    assert rows["int8"].hex is None
    assert rows["int8"].refusal is not None
    assert rows["float8_e4m3fn"].hex == "0x7f"


def test_elsewhere_rounds_in_the_same_mode() -> None:
    rows = {
        row.format: row for row in inspect(value="300.5", rounding="toward_positive", overflow="saturate").elsewhere
    }
    assert rows["int16"].value == "301"
    assert rows["int8"].value == "127"
    assert rows["float8_e4m3fnuz"].value == "240"
    wrapped = {row.format: row for row in inspect("int16", value="300", overflow="wrap").elsewhere}
    assert wrapped["int8"].value == "44"
    assert wrapped["float16"].value == "300"


@pytest.mark.parametrize("asked", [{}, {"value": "1", "bits": "0x3f80"}])
def test_exactly_one_question(asked: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match=r"inspect\.value-or-bits"):
        inspect(**asked)


@pytest.mark.parametrize("name", ["float32; DROP", "__class__", "FLOAT9999", "i0", "", "float32\n", "x" * 10**5])
def test_unknown_formats(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"format\.unknown"):
        inspect(name, value="1")


def test_too_long_a_text() -> None:
    with pytest.raises(NumberSyntaxError, match=r"number\.too-long"):
        inspect(value="1" * (LONGEST_TEXT + 1))


HOSTILE = ["1e" + "9" * 4000, "1e-" + "9" * 4000, "0x1p" + "9" * 4000, "0x1p-" + "9" * 4000, "0x" + "f" * 4094]
HOSTILE += ["0b" + "1" * 4094, "0." + "0" * 4093 + "1", "9" * 4000 + "e-4300", "1e9900", "7" * 4000 + "e9999"]


@pytest.mark.parametrize("number_format", CATALOG, ids=lambda f: f.name)
def test_hostile_texts_build_nothing_large(number_format: Format) -> None:
    """Work is bounded by the size of what is built: no output longer than a few times its input."""
    for text in HOSTILE:
        for overflow in (None, "saturate", "wrap"):
            try:
                inspection = inspect_number(InspectRequest(format=number_format.name, value=text, overflow=overflow))
            except AppError:
                continue
            longest = 60_000 if number_format.width <= 64 else 100_000
            assert len(json.dumps(inspection_document(inspection))) < longest


def test_cards_of_formats() -> None:
    cards = {card["name"]: card for card in formats_document()["formats"]}
    assert list(cards) == list(format_names())
    assert cards["float8_e4m3fn"]["max"] == "448"
    assert cards["float8_e4m3fn"]["nan_codes"] == "2"
    assert cards["float128"]["nan_codes"] == str(2 * (2**112 - 1)), "beyond what a JSON number holds exactly"
    assert cards["float16"]["min_subnormal"] == "0.000000059604644775390625"
    assert cards["float8_e5m2fnuz"]["eps"] == "0.25"
    assert cards["float8_e8m0fnu"]["min_subnormal"] is None
    assert cards["int8"]["min"] == "-128"
    assert cards["float32"]["digits"] == 6
    assert cards["int64"]["digits"] == 18
    assert {"value": "nan", "hex": "0x80"} in cards["float8_e4m3fnuz"]["specials"]


@pytest.mark.parametrize(
    "number_format", [f for f in CATALOG if f.name.startswith(("float", "bfloat"))], ids=lambda f: f.name
)
def test_cards_agree_with_torch(number_format: Format) -> None:
    import torch

    if not hasattr(torch, number_format.name):
        return
    theirs = torch.finfo(getattr(torch, number_format.name))
    card = format_document(describe_format(number_format))
    assert float(card["max"]) == theirs.max
    assert float(card["min_normal"]) == theirs.smallest_normal
    if number_format.name != "float8_e5m2fnuz":  # torch is wrong there: docs/disagreements.md
        assert float(card["eps"]) == theirs.eps


EVERY_FAMILY = (
    *("float128", "float80", "tfloat32", "binary8p3se", "binary16p1ue", "binary16p15se", "e0m4:specials=nan-only"),
    *("e4m3:no-subnormals", "e3m0", "e15m112", "posit2", "posit16", "posit64", "posit128", "posit12:es=0"),
    *("takum_linear2", "takum_linear5", "takum_linear16", "takum_linear64", "int128", "uint100", "q7.8", "uq0.128"),
    *("int8:sign-magnitude", "int1:sign-magnitude", "int16:ones-complement", "nf4", "codebook:-1,0,0.125", "bool"),
)


@pytest.mark.parametrize("name", EVERY_FAMILY)
def test_every_figure_of_every_family_fits_the_others(name: str) -> None:
    number_format = find_format(name)
    width = number_format.width
    source = random.Random(name)
    codes = {0, 1, 1 << (width - 1), (1 << width) - 1, *(source.getrandbits(width) for _ in range(25))}
    for code in codes:
        inspection = inspect(name, bits=f"{code:0{width}b}")
        assert "".join(field.bits for field in inspection.fields) == inspection.bits
        assert all(int(field.bits, 2) == int(field.value) for field in inspection.fields)
        value = number_format.value_of(code)
        if value is None:
            assert inspection.kind in ("infinity", "nan", "nar", "invalid")
            assert inspection.formula is None
            continue
        assert exact_value(inspection.value) == value
        if inspection.weights and not name.endswith("sign-magnitude"):
            assert sum(exact_value(each.weight) for each in inspection.weights if each.is_set) == value
        if inspection.formula is not None:
            formula = inspection.formula
            significand = exact_value(formula.significand) * Fraction(2) ** formula.exponent
            assert (-significand if formula.sign else significand) == value
            whole, _, fraction = formula.significand_bits.partition(".")
            assert Fraction(int(whole + fraction, 2), 1 << len(fraction)) == exact_value(formula.significand)
        for beside, sign in ((inspection.previous, -1), (inspection.next, 1)):
            if beside is not None and beside.value not in ("inf", "-inf"):
                assert (exact_value(beside.value) - value) * sign > 0 or value == 0 or beside.value == "-0"


def exact_value(text: str) -> Fraction:
    number = parse_text(text)
    assert isinstance(number, Finite)
    return number.fraction()


def parse_text(text: str) -> object:
    from app.exact import parse

    if len(text) < LONGEST_TEXT:
        return parse(text)
    numerator, _, denominator = text.partition("/")
    value = Fraction(Decimal(numerator)) / (Fraction(Decimal(denominator)) if denominator else 1)
    return Finite(value < 0, abs(value.numerator), value.denominator)


@pytest.mark.parametrize("name", ["float6_e2m3fn", "float6_e3m2fn", "float4_e2m1fn", "int2", "int4", "uint2", "uint4"])
def test_narrow_types_are_witnessed_by_ml_dtypes(name: str) -> None:
    for code in range(1 << find_format(name).width):
        (witness,) = inspect(name, bits=f"{code:0{find_format(name).width}b}").witnesses
        assert (witness.library, witness.agrees) == ("ml_dtypes", True)
    assert [each.library for each in inspect(name, value="1").witnesses] == ["ml_dtypes"]


@pytest.mark.parametrize("name", ["float128", "float80", "posit16", "nf4", "q7.8", "e5m10", "binary8p3se", "int100"])
def test_other_formats_have_no_witness(name: str) -> None:
    assert inspect(name, value="1").witnesses == ()


def test_a_block_has_no_code_of_a_single_number() -> None:
    with pytest.raises(InvalidInput, match=r"format\.is-block"):
        inspect("mxfp4", value="1")
