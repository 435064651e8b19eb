"""Where libraries differ from the exact answer: tables, each row checked, and written to docs/.

`python tests/oracles/test_disagreements.py` writes docs/disagreements.md anew.
"""

import itertools
import math
import random
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import torch

from app import codec, exact
from app.codec.witnesses import ask_to_store, python_number
from app.errors import InvalidInput
from app.exact.text import exact_text, value_text
from app.formats import CATALOG, FloatFormat, IntegerFormat, find_format
from app.tasks.inspect_number import inspect_number
from app.tasks.inspection import InspectRequest

DOCUMENT = Path(__file__).parents[2] / "docs" / "disagreements.md"


@dataclass(frozen=True)
class Disagreement:
    format: str
    text: str
    library: str
    theirs: str
    ours: str
    reason: str


def _rows(format_name: str, text: str, libraries: str, theirs: str, ours: str, reason: str) -> list[Disagreement]:
    return [Disagreement(format_name, text, library, theirs, ours, reason) for library in libraries.split()]


TWICE = "witness.through-float64"
FLOAT32 = "witness.through-float32"
LOWEST = [exact_text(Fraction(1, 2**127)), exact_text(Fraction(1, 2**126))]
TABLE = [
    *_rows("float16", "2049.00000000000000000000001", "torch numpy", "2048", "2050", TWICE),
    *_rows("float32", "1.0000000596046447753906250000000001", "torch numpy", "1", "1.00000011920928955078125", TWICE),
    *_rows("bfloat16", "1.00390625000000000000000000001", "torch ml_dtypes", "1", "1.0078125", TWICE),
    *_rows("bfloat16", "1.0039062500001", "torch ml_dtypes", "1", "1.0078125", FLOAT32),
    *_rows("float16", "0x1.00200000001p0", "torch", "1", "1.0009765625", FLOAT32),
    *_rows("float8_e4m3fn", "0x1.10000000001p0", "torch", "1", "1.125", FLOAT32),
    *_rows("float8_e5m2", "0x1.20000000001p0", "torch", "1", "1.25", FLOAT32),
    *_rows("float8_e4m3fnuz", "0x1.10000000001p0", "torch", "1", "1.125", FLOAT32),
    *_rows("float8_e5m2fnuz", "0x1.20000000001p0", "torch", "1", "1.25", FLOAT32),
    *_rows("float8_e4m3fn", "500", "torch", "448", "nan", "witness.saturates"),
    *_rows("float8_e4m3fn", "-inf", "torch", "-448", "nan", "witness.saturates"),
    *_rows("float8_e8m0fnu", "3", "torch ml_dtypes", "4", "2", "witness.scale-tie-up"),
    *_rows("float8_e8m0fnu", "0", "torch", LOWEST[0], "nan", "witness.scale-zero"),
    *_rows("float8_e8m0fnu", "0x1.4p-127", "torch ml_dtypes", LOWEST[1], LOWEST[0], "witness.scale-lowest"),
    *_rows("float8_e8m0fnu", "-1", "torch", "1", "nan", "witness.scale-sign"),
    *_rows("int8", "2.7", "torch numpy", "2", "3", "witness.truncates"),
    *_rows("int32", "-1.5", "torch numpy", "-1", "-2", "witness.truncates"),
    *_rows("uint8", "-1", "torch", "255", "0", "witness.wraps"),
    *_rows("uint16", "-3", "torch", "65533", "0", "witness.wraps"),
    *_rows("int8", "300", "torch numpy", "refused", "127", "witness.refuses"),
    *_rows("uint8", "-1", "numpy", "refused", "0", "witness.refuses"),
    *_rows("uint64", "0.5", "torch", "refused", "0", "witness.refuses"),
    *_rows("int64", "inf", "torch numpy", "refused", "9223372036854775807", "witness.refuses"),
]


@dataclass(frozen=True)
class Finding:
    """One more difference: `theirs` and `ours` are computed by the test, and must still be what is written here."""

    library: str
    about: str
    ask_them: Callable[[], object]
    theirs: str
    ask_us: Callable[[], object]
    ours: str
    right: str
    rule: str


def _finfo(library: str, dtype: str, figure: str) -> Callable[[], object]:
    def ask() -> object:
        finfo = torch.finfo(getattr(torch, dtype)) if library == "torch" else ml_dtypes.finfo(getattr(ml_dtypes, dtype))
        return f"{float(getattr(finfo, figure)):g}"

    return ask


def _epsilon(name: str) -> object:
    number_format = find_format(name)
    one = exact.encode(exact.parse("1"), number_format).code
    return exact_text(exact.decode(one + 1, number_format).value - 1)


def _stored(name: str, text: str) -> Callable[[], object]:
    def ask() -> object:
        number_format = find_format(name)
        try:
            return value_text(exact.decode(exact.encode(exact.parse(text), number_format).code, number_format))
        except InvalidInput:
            return "refused"

    return ask


def _cast(dtype: str, value: float) -> Callable[[], object]:
    def ask() -> object:
        with np.errstate(all="ignore"):
            return f"{float(np.array([value], dtype=np.float32).astype(getattr(ml_dtypes, dtype))[0]):g}"

    return ask


def _through_struct() -> object:
    stored = struct.pack("<f", struct.unpack("<f", struct.pack("<I", 0x7F800001))[0])
    return f"0x{struct.unpack('<I', stored)[0]:08x}"


def _kept_payload() -> object:
    number_format = find_format("float32")
    number = exact.to_number(exact.decode(0x7F800001, number_format))
    return f"0x{exact.encode(number, number_format).code:08x}"


def _gguf_block(kind: str, block: bytes, place: int) -> Callable[[], object]:
    def ask() -> object:
        from gguf import GGMLQuantizationType
        from gguf.quants import dequantize

        with np.errstate(all="ignore"):
            values = dequantize(np.frombuffer(block, dtype=np.uint8)[None, :], GGMLQuantizationType[kind])
        return f"{float(values[0, place]):g}"

    return ask


def _gguf_scale(number: float) -> Callable[[], object]:
    def ask() -> object:
        from gguf.quants import NVFP4

        code = int(NVFP4.fp32_to_ue4m3(np.array([number], np.float32))[0])
        return value_text(exact.decode(code, find_format("float8_e4m3fn")))

    return ask


def _gfloat_e8m0(value: float) -> Callable[[], object]:
    def ask() -> object:
        from gfloat import round_float
        from gfloat.formats import format_info_ocp_e8m0

        return f"{round_float(format_info_ocp_e8m0, value):g}"

    return ask


def _softposit8(value: float) -> Callable[[], object]:
    def ask() -> object:
        import softposit

        return f"{float(str(softposit.posit8(value))):g}"

    return ask


def _torchao_scale() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao warns of GPU libraries at import
        from torchao.prototype.mx_formats.nvfp4_tensor import nvfp4_quantize

        scale, _ = nvfp4_quantize(torch.full((1, 16), 6 * 2.0**-9), 16)
    return f"{float(scale.to(torch.float32)[0, 0]):g}"


def _torchao_tiny_block() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torchao.prototype.mx_formats.mx_tensor import to_mx

        scale, elements = to_mx(torch.full((1, 32), 2.0**-127), torch.float8_e4m3fn, 32)
    return (
        f"{float(elements.to(torch.float32)[0, 0]):g}" if int(scale.view(torch.uint8)[0, 0]) == 0 else "another scale"
    )


OCP_SCALE = "OCP MX 1.0, 5.4.1: 0xFF is NaN, and 6.2: a block with that scale is NaN"
FINDINGS = (
    Finding(
        "torch",
        "`torch.finfo(torch.float8_e5m2fnuz).eps`",
        _finfo("torch", "float8_e5m2fnuz", "eps"),
        "0.125",
        lambda: _epsilon("float8_e5m2fnuz"),
        "0.25",
        "Bitlens",
        "two mantissa bits: after 1 comes 1.25 (Noune et al. 2022, table 1)",
    ),
    Finding(
        "ml_dtypes",
        "`ml_dtypes.finfo(float8_e8m0fnu).smallest_subnormal`",
        _finfo("ml_dtypes", "float8_e8m0fnu", "smallest_subnormal"),
        "5.87747e-39",
        lambda: find_format("e8m0").min_subnormal,
        "None",
        "Bitlens",
        "E8M0 has no subnormals (OCP MX 1.0, 5.4.1)",
    ),
    Finding(
        "ml_dtypes",
        "`ml_dtypes.finfo(float8_e4m3fn).precision`, decimal digits that survive",
        _finfo("ml_dtypes", "float8_e4m3fn", "precision"),
        "1",
        lambda: int((find_format("e4m3").precision - 1) * math.log10(2)),
        "0",
        "Bitlens",
        "C23 5.2.5.3.3, *_DIG: floor((p - 1) * log10 2) with p = 4; NumPy defines it as floor(-log10 eps), 0 too",
    ),
    Finding(
        "ml_dtypes",
        "NaN stored in float6_e2m3fn",
        _cast("float6_e2m3fn", math.nan),
        "-0",
        _stored("float6_e2m3fn", "nan"),
        "refused",
        "neither is wrong",
        "OCP MX 1.0, 5.3.2: the format has no NaN, and conversion is left open; a silent -0 hides it",
    ),
    Finding(
        "ml_dtypes",
        "6.7 stored in int4",
        lambda: int(np.array([6.7], dtype=np.float32).astype(ml_dtypes.int4)[0]),
        "6",
        _stored("int4", "6.7"),
        "7",
        "both",
        "a convention: C23 6.3.1.4 drops what is behind the point; choose rounding=toward_zero",
    ),
    Finding(
        "ml_dtypes",
        "300 stored in int4",
        lambda: int(np.array([300], dtype=np.float32).astype(ml_dtypes.int4)[0]),
        "-4",
        _stored("int4", "300"),
        "7",
        "both",
        "a convention: out of range C23 6.3.1.4 leaves it undefined; choose overflow=wrap for the last four bits",
    ),
    Finding(
        "struct",
        "the signalling NaN 0x7f800001 through `struct` and back",
        _through_struct,
        "0x7fc00001",
        _kept_payload,
        "0x7f800001",
        "both",
        "IEEE 754-2019, 6.2.1: converting to another format quiets a NaN; a code that is carried is not converted",
    ),
    Finding(
        "gfloat",
        "2^-128 rounded to float8_e8m0fnu",
        _gfloat_e8m0(2.0**-128),
        "2.93874e-39",
        _stored("float8_e8m0fnu", "2^-128"),
        exact_text(Fraction(1, 2**127)),
        "Bitlens",
        "OCP MX 1.0, 5.4.1: the smallest scale is 2^-127; gfloat's answer is no number of the format",
    ),
    Finding(
        "gfloat",
        "-1 rounded to float8_e8m0fnu",
        _gfloat_e8m0(-1.0),
        "-1",
        _stored("float8_e8m0fnu", "-1"),
        "nan",
        "Bitlens",
        "OCP MX 1.0, 5.4.1: there is no sign",
    ),
    Finding(
        "softposit",
        "100 stored in `softposit.posit8`",
        _softposit8(100.0),
        "64",
        _stored("posit8", "100"),
        "96",
        "Bitlens",
        "Posit Standard 2022, 3.2: es is 2 at every width; posit8 of SoftPosit has es = 0 (our posit8:es=0 agrees)",
    ),
    Finding(
        "gguf",
        "an MXFP4 block with scale 0xFF, element 1 (code 2)",
        _gguf_block("MXFP4", bytes([0xFF]) + bytes([0x22]) * 16, 0),
        "inf",
        _stored("float8_e8m0fnu", "nan"),
        "nan",
        "Bitlens",
        OCP_SCALE,
    ),
    Finding(
        "gguf",
        "minus zero in an MXFP4 block (code 8)",
        _gguf_block("MXFP4", bytes([127]) + bytes([0x88]) * 16, 0),
        "0",
        _stored("float4_e2m1fn", "-0"),
        "-0",
        "Bitlens",
        "OCP MX 1.0, 5.3.3, table 5: 1000 is -0; gguf's table of integers has none",
    ),
    Finding(
        "gguf",
        "an NVFP4 block with scale 0x7F, element 1",
        _gguf_block("NVFP4", bytes([0x7F] * 4) + bytes([0x22]) * 32, 0),
        "0",
        lambda: value_text(exact.decode(0x7F, find_format("float8_e4m3fn"))),
        "nan",
        "Bitlens",
        "OCP OFP8 1.0, table 1: S.1111.111 is NaN",
    ),
    *(
        Finding(
            "gguf",
            f"{text} stored as an NVFP4 scale",
            _gguf_scale(number),
            theirs,
            _stored("float8_e4m3fn", text),
            ours,
            "Bitlens",
            rule,
        )
        for text, number, theirs, ours, rule in (
            ("320", 320.0, "448", "320", "OFP8 1.0, table 1: from 256 to 448 there are seven numbers; gguf gives 448"),
            ("1.0625", 1.0625, "1.125", "1", "IEEE 754-2019, 4.3.1: a tie goes to the even code; gguf goes up"),
            ("7.75*2^-9", 7.75 * 2.0**-9, "0.013671875", "0.015625", "IEEE 754-2019, 4.3.1: 2^-6 is the nearest"),
        )
    ),
    Finding(
        "torchao",
        "the element that 2^-127 becomes in an MXFP8 block whose scale is 2^-127",
        _torchao_tiny_block,
        "0.5",
        _stored("float8_e4m3fn", "2^-127/2^-127"),
        "1",
        "Bitlens",
        "OCP MX 1.0, 6.3: elements are divided by the scale; torchao stores 2^-127 and divides by 2^-126",
    ),
    Finding(
        "torchao",
        "the NVFP4 scale of a block whose largest number is 6 * 2^-9",
        _torchao_scale,
        "0.015625",
        _stored("float8_e4m3fn", "2^-9"),
        "0.001953125",
        "Bitlens",
        "OCP OFP8 1.0, table 1: E4M3 goes down to 2^-9; torchao clamps at 2^-6, its smallest normal number",
    ),
)

AGREEMENTS = """
## No difference found

- apytypes 0.5: fixed point of 8 to 101 bits and IEEE-like floats of 4 to 64 bits, six rounding modes, saturating and
  wrapping.
- gfloat 0.5: every code and five rounding modes of IEEE P3109 formats of 3 to 16 bits, and of OCP's.
- SoftPosit, es = 2: posits of 3 to 32 bits, every code of the narrow ones.
- x87 (numpy.longdouble) for float80, mpmath at 113 bits for float128.
- ml_dtypes: every code of every dtype, and casts from float32 at every midpoint, overflow and E8M0 aside.
- torchao: MX codes of five formats in four scale rules, a block scale of 2^-127 aside.
- The processor (numpy, struct): a million float64 narrowed to float16 and to float32; every code of float16.
- CPython's test data for decimal conversion.

NaN has many codes in IEEE formats; torch, NumPy and ml_dtypes choose different ones. They are taken to agree.
"""


def document() -> str:
    lines = [
        "# Where libraries differ",
        "",
        "Written by `python tests/oracles/test_disagreements.py`; the tests check every row against the installed",
        "libraries, and that this page is their table.",
        "",
        "## Storing a number",
        "",
        "Bitlens rounds the typed number once, exactly. For each row a library, asked as its users ask it (text, then",
        "a Python number, then the dtype), stores something else. A number is rounded once: IEEE 754-2019, 4.3.",
        "",
        "Checked with torch 2.13, NumPy 2.4 and ml_dtypes 0.6.",
        "",
        "| format | typed | library | gives | exact | reason | rule |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in TABLE:
        theirs, ours = (text if len(text) < 40 else f"{float(text):.17g}" for text in (row.theirs, row.ours))
        reason, rule = REASONS[row.reason]
        lines.append(f"| {row.format} | `{row.text}` | {row.library} | {theirs} | {ours} | {reason} | {rule} |")
    lines += [
        "",
        "## Everything else",
        "",
        "| library | about | says | Bitlens says | right | why |",
        "|---|---|---|---|---|---|",
    ]
    for each in FINDINGS:
        ours = each.ours if len(each.ours) < 40 else f"{float(each.ours):.6g}"
        lines.append(f"| {each.library} | {each.about} | {each.theirs} | {ours} | {each.right} | {each.rule} |")
    return "\n".join(lines) + "\n" + AGREEMENTS


ONE_ROUNDING = "Bitlens is right: IEEE 754-2019, 4.3"
REASONS = {
    TWICE: ("rounded to float64 first, then again", ONE_ROUNDING),
    FLOAT32: ("rounded to float32 on the way, then again", ONE_ROUNDING),
    "witness.saturates": (
        "stores the largest number instead of NaN on overflow",
        "both are allowed: OFP8 1.0 has a saturating and a non-saturating conversion; choose overflow=saturate",
    ),
    "witness.scale-tie-up": ("a tie goes up, not to the even code", "OCP MX 1.0 leaves it open; nearest-even is ours"),
    "witness.scale-zero": (
        "zero becomes the smallest number; the format has no zero",
        "OCP MX 1.0 leaves it open; 5.4.1: there is no zero",
    ),
    "witness.scale-lowest": ("everything between the two smallest numbers goes up", ONE_ROUNDING),
    "witness.scale-sign": ("the sign is dropped; the format has none", "Bitlens is right: OCP MX 1.0, 5.4.1"),
    "witness.truncates": (
        "what is behind the point is dropped",
        "a convention: C23 6.3.1.4 truncates; choose rounding=toward_zero",
    ),
    "witness.wraps": ("only the last bits are kept", "a convention: choose overflow=wrap"),
    "witness.refuses": ("raises an exception", "a convention: we saturate, and say so"),
}


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda each: f"{each.library}-{each.about}")
def test_each_finding_is_still_so(finding: Finding) -> None:
    assert str(finding.ask_them()) == finding.theirs
    assert str(finding.ask_us()) == finding.ours


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.library}-{row.format}-{row.text}")
def test_each_row_is_what_the_libraries_do(row: Disagreement) -> None:
    inspection = inspect_number(InspectRequest(format=row.format, value=row.text))
    witness = next(witness for witness in inspection.witnesses if witness.library == row.library)
    assert inspection.value == row.ours
    assert (witness.value or "refused") == row.theirs
    assert not witness.agrees
    assert witness.reason is not None
    assert witness.reason.id == row.reason


def test_the_page_in_docs_is_this_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), f"run: python {Path(__file__).name}"


@pytest.mark.parametrize("number_format", CATALOG, ids=lambda f: f.name)
def test_no_disagreement_is_without_a_known_reason(number_format: FloatFormat) -> None:
    """Numbers of many sizes and of every awkward kind; where a library differs, the page can say why."""
    source = random.Random(number_format.name)
    texts = ["0", "-0", "1", "-1", "nan", "inf", "-inf", "1e999999999", "-1e999999999", "1e-999999999", "3", "-3"]
    texts += [f"{source.choice('+-')}{source.random() * 10 ** source.randint(-50, 45)!r}" for _ in range(150)]
    texts += [f"{source.choice('+-')}{source.getrandbits(source.randint(1, 70))}" for _ in range(50)]
    texts += [f"{source.randint(0, 300)}.5" for _ in range(20)]
    for text in texts:
        try:
            inspection = inspect_number(InspectRequest(format=number_format.name, value=text))
        except InvalidInput:
            assert text == "nan"
            continue
        for witness in inspection.witnesses:
            assert witness.agrees or witness.reason is not None, (text, witness, inspection.hex)


# int1 ... uint7 are names without a cast.
TORCH_NAMES = {f.name for f in CATALOG if hasattr(torch, f.name) and not (isinstance(f, IntegerFormat) and f.width < 8)}
TORCH_FLOATS = [f for f in CATALOG if isinstance(f, FloatFormat) and hasattr(torch, f.name)]


@pytest.mark.parametrize("number_format", TORCH_FLOATS, ids=lambda f: f.name)
def test_torch_and_ml_dtypes_round_float32_as_we_do(number_format: FloatFormat) -> None:
    """At every midpoint and beside it, out-of-range numbers and E8M0 (rows above) aside."""
    if number_format.width > 16:
        codes = torch.from_numpy(np.random.default_rng(1).integers(-(2**31), 2**31, 100_000, dtype=np.int32))
        probes = codes.view(torch.float32)
    else:
        values = codec.decode(codec.narrow_codes(torch.arange(1 << number_format.width), number_format), number_format)
        order = values[values.isfinite()].unique()
        middle = ((order[1:] + order[:-1]) / 2).to(torch.float32)
        infinity = torch.tensor(torch.inf)
        probes = torch.cat([middle, middle.nextafter(infinity), middle.nextafter(-infinity)])
    ours = codec.encode(probes, number_format)
    theirs = {"torch": codec.to_codes(probes.to(codec.torch_dtype(number_format)), number_format)}
    dtype = getattr(ml_dtypes, number_format.name, None)
    if dtype is not None:
        with np.errstate(all="ignore"):
            array = probes.numpy().astype(dtype)
        theirs["ml_dtypes"] = torch.from_numpy(array.view(f"i{array.itemsize}")).view(ours.dtype)
    for library, codes in theirs.items():
        differs = ours != codes
        differs &= ~(codec.decode(ours, number_format).isnan() & codec.decode(codes, number_format).isnan())
        if number_format.name == "float8_e8m0fnu":
            # Ties to even codes differ, and what lies between the two smallest numbers (float32's subnormals).
            differing = probes[differs].to(torch.float64)
            differing = differing[differing > 2.0**-126]
            assert bool((differing == 1.5 * torch.exp2(torch.floor(torch.log2(differing)))).all()), library
        else:
            assert not bool(differs.any()), (library, probes[differs][:5])


def test_witnesses_let_nothing_escape() -> None:
    """Warnings are errors in these tests."""
    texts = ["0x1p9999", "-0x1p9999", "1e400", "nan(0x123)", "-snan", "0b1", "0o17", "0x" + "f" * 4000, "9" * 4096]
    for text, number_format in itertools.product(texts, CATALOG):
        answers = ask_to_store(python_number(text, number_format), number_format)
        libraries = {each.library for each in answers}
        assert ("torch" in libraries) == (number_format.name in TORCH_NAMES)


def test_finfo_of_torch_has_one_wrong_figure() -> None:
    number_format = find_format("float8_e5m2fnuz")
    assert isinstance(number_format, FloatFormat)
    assert torch.finfo(torch.float8_e5m2fnuz).eps == 0.125
    one = exact.encode(exact.parse("1"), number_format).code
    after = exact.decode(one + 1, number_format).value
    assert after is not None
    assert float(after - 1) == 0.25


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
