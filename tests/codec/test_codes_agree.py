"""Every code, two independent implementations and two libraries: `exact` = `codec` = torch = ml_dtypes."""

import random
import struct
from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
import torch
from torch import Tensor

from app import codec, exact
from app.formats import CATALOG, FloatFormat, Format, IntegerFormat, find_format

# What only `exact` and `codec` have is held together in test_agreement.py.
KNOWN = [f for f in CATALOG if codec.has_torch_dtype(f)]
SMALL = [f for f in KNOWN if f.width <= 16]
FLOATS = [f for f in KNOWN if isinstance(f, FloatFormat)]
SMALL_FLOATS = [f for f in FLOATS if f.width <= 16]


def names(number_format: Format) -> str:
    return number_format.name


def all_codes(number_format: Format) -> Tensor:
    return codec.narrow_codes(torch.arange(1 << number_format.width), number_format)


def same(left: Tensor, right: Tensor) -> bool:
    """Equal float64 values, signs of zero included; NaN equals NaN."""
    return bool(((left.view(torch.int64) == right.view(torch.int64)) | (left.isnan() & right.isnan())).all())


def same_codes(left: Tensor, right: Tensor, number_format: Format) -> bool:
    """Equal codes; NaNs are alike."""
    values = codec.decode(left, number_format), codec.decode(right, number_format)
    return bool(((left == right) | (values[0].isnan() & values[1].isnan())).all())


def exact_value(code: int, number_format: Format) -> float:
    stored = exact.decode(code, number_format)
    if stored.value is not None:
        return -0.0 if stored.negative and stored.value == 0 else float(stored.value)
    if stored.kind is exact.Kind.NAN:
        return float("nan")
    return float("-inf") if stored.negative else float("inf")


def words(codes: Tensor) -> "np.ndarray":
    array = codes.numpy()
    return array.view(f"u{array.itemsize}")


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_every_code_has_one_meaning(number_format: Format) -> None:
    codes = all_codes(number_format)
    ours = codec.decode(codes, number_format)
    meanings = [exact_value(code, number_format) for code in range(1 << number_format.width)]
    truth = torch.tensor(meanings, dtype=torch.float64)
    assert same(ours, truth)
    assert same(ours, codec.from_codes(codes, number_format).to(torch.float64))
    dtype = getattr(ml_dtypes, number_format.name, None)
    if dtype is not None:
        with np.errstate(all="ignore"):
            theirs = words(codes).view(dtype).astype(np.float64)
        assert same(ours, torch.from_numpy(theirs))


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_every_code_encodes_back_to_itself(number_format: Format) -> None:
    codes = all_codes(number_format)
    values = codec.decode(codes, number_format)
    assert same_codes(codec.encode(values, number_format), codes, number_format)
    assert same_codes(codec.encode(values.to(torch.float32), number_format), codes, number_format)


ROUNDING = [(f, rule) for f in SMALL for rule in ("ieee", "saturate") if f in SMALL_FLOATS or rule == "saturate"]


@pytest.mark.parametrize(("number_format", "overflow"), [pair for pair in ROUNDING if pair[0].name != "bool"])
def test_every_midpoint_and_both_sides_of_it(number_format: Format, overflow: str) -> None:
    """float64 holds each midpoint and its next neighbours exactly, beyond both ends of the range too."""
    values = codec.decode(all_codes(number_format), number_format)
    order = values[values.isfinite()].unique()
    step = order[-1] - order[-2]
    middle = torch.cat([(order[1:] + order[:-1]) / 2, order[-1:] + step / 2, order[-1:] + step, order[:1] - step / 2])
    infinity = torch.tensor(torch.inf, dtype=torch.float64)
    probes = torch.cat([middle, middle.nextafter(infinity), middle.nextafter(-infinity)])
    ours = codec.encode(probes, number_format, overflow=overflow)
    truth = [
        exact.encode(exact.from_fraction(Fraction(value)), number_format, overflow=overflow).code
        for value in probes.tolist()
    ]
    assert torch.equal(ours, codec.narrow_codes(torch.tensor(truth), number_format))
    native = codec.to_codes(codec.cast(probes.to(torch.float32), number_format), number_format)
    saturated = isinstance(number_format, FloatFormat) and number_format.has_infinity
    again = codec.encode(probes.to(torch.float32), number_format, overflow="ieee" if saturated else "saturate")
    assert same_codes(native, again, number_format)


def random_words(width: int, count: int, seed: int) -> Tensor:
    found = np.random.default_rng(seed).integers(0, (1 << width) - 1, count, dtype=np.uint64, endpoint=True)
    return torch.from_numpy(found.view(np.int64))


def test_a_million_float32_codes() -> None:
    codes = random_words(32, 1_000_000, 32).to(torch.int32)
    values = codec.decode(codes, find_format("float32"))
    assert same(values, codes.view(torch.float32).to(torch.float64))
    with np.errstate(invalid="ignore"):  # signalling NaNs are among them
        assert same(values, torch.from_numpy(codes.numpy().view(np.float32).astype(np.float64)))
    assert same_codes(codec.encode(values, find_format("float32")), codes, find_format("float32"))
    assert same_codes(codec.encode(codes.view(torch.float32), find_format("float32")), codes, find_format("float32"))


def test_a_million_float64_codes() -> None:
    number_format = find_format("float64")
    codes = random_words(64, 1_000_000, 64)
    values = codec.decode(codes, number_format)
    assert same(values, torch.from_numpy(codes.numpy().view(np.float64)))
    assert same_codes(codec.encode(values, number_format), codes, number_format)


# A million and the ends of every binade, where `exact` could slip.
@pytest.mark.parametrize(("name", "layout"), [("float32", "<If"), ("float64", "<Qd")])
def test_exact_on_random_codes_and_boundaries(name: str, layout: str) -> None:
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat)
    source = random.Random(7)
    codes = [source.getrandbits(number_format.width) for _ in range(1_000_000)]
    for exponent in range(1 << number_format.exponent_bits):
        base = exponent << number_format.mantissa_bits
        codes += [base, base + 1, base | ((1 << number_format.mantissa_bits) - 1), base | number_format.sign_mask]
    order, word, real = layout
    values = struct.unpack(f"{order}{len(codes)}{real}", struct.pack(f"{order}{len(codes)}{word}", *codes))
    for code, value in zip(codes, values, strict=True):
        stored = exact.decode(code, number_format)
        if stored.value is None:
            assert (stored.kind is exact.Kind.NAN) == (value != value)
            continue
        assert stored.value.as_integer_ratio() == value.as_integer_ratio()
        number = exact.Finite(stored.negative, abs(stored.value.numerator), stored.value.denominator)
        assert exact.encode(number, number_format).code == code


@pytest.mark.parametrize("number_format", FLOATS, ids=names)
def test_codec_rounds_float64_as_exact_does(number_format: FloatFormat) -> None:
    """Values around the format's whole range, one rounding from 53 bits."""
    source = random.Random(number_format.name)
    low = max(number_format.min_exponent - number_format.mantissa_bits - 3, -1074)
    high = min(number_format.max_exponent + 2, 1023)
    values = [source.choice((-1.0, 1.0)) * source.random() * 2.0 ** source.randint(low, high) for _ in range(4000)]
    truth = []
    for value in values:
        number = exact.Finite(value < 0 or str(value) == "-0.0", *abs(Fraction(value)).as_integer_ratio())
        code = exact.encode(number, number_format).code
        truth.append(codec.as_int64(code))
    expected = codec.narrow_codes(torch.tensor(truth), number_format)
    assert torch.equal(codec.encode(torch.tensor(values, dtype=torch.float64), number_format), expected)


@pytest.mark.parametrize("number_format", KNOWN, ids=names)
@pytest.mark.parametrize("dtype", [torch.int8, torch.int32, torch.int64, torch.uint8, torch.uint64], ids=str)
def test_codec_rounds_integers_as_exact_does(number_format: Format, dtype: torch.dtype) -> None:
    limits = torch.iinfo(dtype)
    source = random.Random(3)
    values = [limits.min, limits.min + 1, 0, 1, 3, limits.max // 2, limits.max - 1, limits.max]
    for bits in range(1, limits.bits - (limits.min < 0)):
        values += [source.getrandbits(bits), 1 << (bits - 1), (1 << bits) - 1]
    values += [-value for value in values if limits.min <= -value <= limits.max]
    truth = []
    for value in values:
        code = exact.encode(exact.from_fraction(Fraction(value)), number_format).code
        truth.append(codec.as_int64(code))
    expected = codec.narrow_codes(torch.tensor(truth), number_format)
    assert torch.equal(codec.encode(torch.tensor(values, dtype=dtype), number_format), expected)


@pytest.mark.parametrize("number_format", [f for f in KNOWN if isinstance(f, IntegerFormat)], ids=names)
def test_floats_to_integers_at_the_ends(number_format: IntegerFormat) -> None:
    ends = [float(number_format.min), float(number_format.max), 2.0**31, 2.0**32, 2.0**63, 2.0**64]
    values = [sign * (end + nudge) for end in ends for nudge in (-1.5, -0.5, 0, 0.5, 1.5) for sign in (1, -1)]
    values += [2.0**63 - 1024, 2.0**64 - 2048, -(2.0**63) - 2048, torch.inf, -torch.inf, 1e300]
    truth = []
    for value in values:
        number = exact.Infinity(value < 0) if abs(value) == torch.inf else exact.from_fraction(Fraction(value))
        code = exact.encode(number, number_format).code
        truth.append(codec.as_int64(code))
    expected = codec.narrow_codes(torch.tensor(truth), number_format)
    assert torch.equal(codec.encode(torch.tensor(values, dtype=torch.float64), number_format), expected)


@pytest.mark.parametrize("number_format", FLOATS, ids=names)
def test_specials(number_format: FloatFormat) -> None:
    values = torch.tensor([torch.nan, torch.inf, -torch.inf, 0.0, -0.0], dtype=torch.float64)
    values[0] = values[0].abs()  # a positive NaN
    for overflow in ("ieee", "saturate"):
        expected = [
            exact.encode(exact.parse(text), number_format, overflow=overflow).code
            for text in ("nan", "inf", "-inf", "0", "-0")
        ]
        signed = [codec.as_int64(code) for code in expected]
        got = codec.encode(values, number_format, overflow=overflow)
        assert torch.equal(got, codec.narrow_codes(torch.tensor(signed), number_format))


@pytest.mark.parametrize("number_format", SMALL, ids=names)
def test_fields_put_together_are_the_code(number_format: Format) -> None:
    codes = all_codes(number_format)
    fields = codec.split_fields(codes, number_format)
    assert sum(field.width for field in fields) == number_format.width
    whole = torch.zeros(len(codes), dtype=torch.int64)
    for field in fields:
        assert int(field.values.max()) < 1 << field.width
        whole = (whole << field.width) | field.values
    assert torch.equal(whole, torch.arange(len(codes)))


def test_uint64_decodes_with_one_rounding() -> None:
    values = [2**64 - 1, 2**63, 2**63 + 1024, 2**63 + 1025, 2**63 + 3072, 2**53 + 1, 5]
    codes = torch.tensor(values, dtype=torch.uint64).view(torch.int64)
    assert codec.decode(codes, find_format("uint64")).tolist() == [float(value) for value in values]
