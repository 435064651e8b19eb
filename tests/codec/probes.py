"""Numbers that decide: every value of a format, every middle between two, and both float64 neighbours of each."""

from fractions import Fraction

import torch
from torch import Tensor

from app import codec, exact
from app.codec.codebooks import rounded_float
from app.errors import InvalidInput
from app.formats import Format

MODES = ("nearest_even", "nearest_away", "toward_zero", "toward_positive", "toward_negative", "to_odd")
CUSTOM = (
    *("e5m10:bias=40", "e4m3:bias=8:specials=nan-only", "e3m4:specials=none", "e2m5:specials=infinity-nan", "e1m6"),
    *("e4m3:unsigned", "e4m4:specials=none:unsigned", "e3m2:no-subnormals", "e3m3:no-subnormals:specials=none"),
    *("e3m0:no-subnormals", "e4m0", "e0m5", "e0m6:unsigned", "e0m4:specials=nan-only:bias=-3", "e5m3:no-negative-zero"),
    *("e3m2:no-subnormals:no-zero", "e4m2:no-subnormals:no-zero:specials=none", "e8m0:specials=none:no-subnormals"),
    *("e3m2:no-subnormals:no-negative-zero:specials=nan-only", "e2m2:specials=infinity-nan:no-negative-zero"),
    *("e8m7:bias=300", "e8m2:bias=1080", "e6m3:bias=-960", "e11m3", "e14m1", "e8m3:bias=30000", "e8m3:bias=-30000"),
    *("binary3p1sf", "binary5p2ue", "binary8p1se", "binary10p3se", "binary16p1ue", "binary16p8sf", "binary16p15sf"),
    *("posit2", "posit3", "posit4", "posit5", "posit6:es=0", "posit8:es=0", "posit7:es=1", "posit8:es=3"),
    *("posit9:es=5", "posit10:es=8", "posit12:es=1", "posit16:es=1"),
    *("takum_linear2", "takum_linear3", "takum_linear4", "takum_linear5", "takum_linear6", "takum_linear7"),
    *("takum_linear9", "takum_linear10", "takum_linear11", "takum_linear12", "takum_linear13", "takum_linear16"),
    *("int1", "int3", "int6", "uint5", "int12", "uint13", "int5:sign-magnitude", "int6:ones-complement"),
    *("int1:sign-magnitude", "int2:ones-complement", "int12:sign-magnitude", "q3.4", "q0.5", "uq0.7", "uq4.0", "q5.0"),
    *("uq0.16", "q0.11", "codebook:-1,0,1", "codebook:0.1,0.2,0.3,0.7", "codebook:-1,0,0,1,2.5"),
    *("codebook:3,-2,1e-320", "codebook:1e400,1,-1e400,5e-324,1e-400", "codebook:-1,1"),
)


def number_of(value: float) -> exact.Number:
    """A float as the exact number."""
    negative = str(value).startswith("-")
    if value != value:
        return exact.NaN(False)
    if abs(value) == float("inf"):
        return exact.Infinity(negative)
    return exact.Finite(negative, *abs(Fraction(value)).as_integer_ratio())


def truth(values: Tensor, number_format: Format, rounding: str, overflow: str | None = None) -> tuple[Tensor, Tensor]:
    """The codes that `exact` gives as a word each, and whether it gives one at all."""
    codes, has_code = [], []
    for value in values.tolist():
        try:
            found = exact.encode(number_of(value), number_format, rounding, overflow).code
        except InvalidInput:
            codes.append(0)
            has_code.append(False)
        else:
            codes.append(codec.as_int64(found))
            has_code.append(True)
    return torch.tensor(codes, dtype=torch.int64), torch.tensor(has_code)


def all_codes(number_format: Format) -> Tensor:
    """Each code once, in the format's code dtype."""
    return codec.narrow_codes(torch.arange(1 << number_format.width), number_format)


def exact_value(code: int, number_format: Format) -> float:
    """The nearest float64 to what `exact` reads from a code; NaN for all that is no number."""
    stored = exact.decode(code, number_format)
    if stored.value is not None:
        near = rounded_float(stored.value)
        return -abs(near) if stored.negative else near
    if stored.kind is exact.Kind.INFINITY:
        return float("-inf") if stored.negative else float("inf")
    return float("nan")


def boundaries(number_format: Format, step: int = 1) -> Tensor:
    """Each step-th value and middle that float64 can reach, with both neighbours, and the same beyond both ends."""
    found: list[Fraction] = []
    first, last = number_format.first_ordinal, number_format.last_ordinal
    ordinals = sorted({*range(first, last + 1, step), *range(first, min(first + 3, last)), *range(last - 2, last + 1)})
    for ordinal in ordinals:
        if not first <= ordinal <= last:
            continue
        value = number_format.value_of(number_format.code_at(ordinal))
        assert value is not None
        found.append(value)
        if ordinal < last:
            above = number_format.value_of(number_format.code_at(ordinal + 1))
            assert above is not None
            found.append((value + above) / 2)
    top, bottom = Fraction(number_format.max), Fraction(number_format.min)
    below_top = number_format.value_of(number_format.code_at(last - 1))
    assert below_top is not None
    gap = top - below_top
    found += [top + gap / 2, top + gap, top + 3 * gap, bottom - gap / 2, bottom - gap, bottom - 3 * gap]
    near = torch.tensor(sorted({rounded_float(each) for each in found} | {0.0}), dtype=torch.float64)
    infinity = torch.tensor(torch.inf, dtype=torch.float64)
    specials = torch.tensor([-0.0, torch.inf, -torch.inf], dtype=torch.float64)
    return torch.cat([near, near.nextafter(infinity), near.nextafter(-infinity), specials])


def same(left: Tensor, right: Tensor) -> bool:
    """Equal float64 values, signs of zero included; NaN equals NaN."""
    return bool(((left.view(torch.int64) == right.view(torch.int64)) | (left.isnan() & right.isnan())).all())
