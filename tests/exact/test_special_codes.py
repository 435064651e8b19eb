"""Codes that are no plain number: NaNs with what they carry, x87's contradictions, what lies behind a codebook."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.exact import InvalidKind, Kind, NaN, decode, encode, invalid_kind, neighbours, parse, to_number
from app.exact.text import code_text, stored_text
from app.formats import find_format


@pytest.mark.parametrize(
    ("text", "code", "is_dropped"),
    [
        ("nan(0x1ff)", 0x7FFF, False),
        ("-nan(0)", 0xFE00, False),
        ("nan(0x200)", 0x7E00, True),  # that bit is the quiet bit, no place of the payload
        ("nan(0x3ff)", 0x7E00, True),
        ("snan", 0x7C01, False),
        ("-snan(0x1ff)", 0xFDFF, False),
        ("snan(0x200)", 0x7E00, True),
    ],
)
def test_a_payload_lies_below_the_quiet_bit_or_is_dropped(text: str, code: int, is_dropped: bool) -> None:
    encoding = encode(parse(text), find_format("float16"))
    assert (encoding.code, encoding.payload_dropped) == (code, is_dropped)


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        (0x0000_8000000000000001, InvalidKind.PSEUDO_DENORMAL, None),
        (0x3FFF_4000000000000000, InvalidKind.UNNORMAL, "nan"),
        (0x0001_0000000000000000, InvalidKind.UNNORMAL, "nan"),
        (0x7FFF_0000000000000000, InvalidKind.PSEUDO_INFINITY, "nan"),
        (0xFFFF_0000000000000001, InvalidKind.PSEUDO_NAN, "nan"),
        (0x7FFF_8000000000000000, None, "inf"),
        (0x7FFF_C000000000000000, None, "nan"),
        (0x0000_7FFFFFFFFFFFFFFF, None, None),
    ],
)
def test_x87_codes_that_contradict_themselves_have_names(code: int, kind: InvalidKind | None, text: str | None) -> None:
    float80 = find_format("float80")
    assert invalid_kind(code, float80) is kind
    if text is not None:
        assert code_text(code, float80) == text
    if kind is InvalidKind.PSEUDO_DENORMAL:
        assert decode(code, float80).value == float80.min_normal + float80.min_subnormal
        assert encode(to_number(decode(code, float80)), float80).code == 0x0001_8000000000000001


def test_codes_behind_a_codebook_are_invalid() -> None:
    codebook = find_format("codebook:-1,0,1")
    assert [invalid_kind(code, codebook) for code in range(4)] == [None, None, None, InvalidKind.BEHIND_LAST]
    assert decode(3, codebook).kind is Kind.INVALID
    assert neighbours(3, codebook) == (None, None)


NAN_FORMATS = (
    "float16",
    "e5m10:no-negative-zero",
    "e4m3:specials=infinity-nan",
    "e3m4",
    "e6m1",
    "e5m0:no-negative-zero",
)


@pytest.mark.parametrize("name", [*NAN_FORMATS, "e3m12:unsigned", "e4m8:no-subnormals:no-zero", "float8_e4m3fn"])
def test_every_nan_survives_the_way_out_and_back(name: str) -> None:
    number_format = find_format(name)
    for code in range(1 << number_format.width):
        stored = decode(code, number_format)
        if stored.kind is Kind.NAN:
            assert encode(to_number(stored), number_format).code == code
            assert encode(parse(stored_text(stored)), number_format).code == code


@given(st.sampled_from(("float32", "float64", "float80", "float128")), st.data())
def test_wide_nans_survive_and_widen(name: str, data: st.DataObject) -> None:
    number_format = find_format(name)
    payload = data.draw(st.integers(0, number_format.quiet_bit - 1))
    number = NaN(data.draw(st.booleans()), payload or None, bool(payload) and data.draw(st.booleans()))
    encoding = encode(number, number_format)
    assert to_number(decode(encoding.code, number_format)) == number
    assert encode(number, find_format("float128")).payload_dropped is False


@pytest.mark.parametrize("name", ["e5m0", "e4m3:specials=none", "e0m4"])
def test_nan_is_refused_where_there_is_none(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"number\.no-nan"):
        encode(parse("nan"), find_format(name))


def test_infinity_without_nan() -> None:
    number_format = find_format("e5m0")
    assert code_text(encode(parse("-1e99"), number_format).code, number_format) == "-inf"
    assert code_text(encode(parse("1e99"), number_format, overflow="saturate").code, number_format) == "32768"
