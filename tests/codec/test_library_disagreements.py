"""Where libraries store another code than the exact one: a table, each row checked, and written to docs/.

`python tests/codec/test_library_disagreements.py` writes docs/disagreements.md anew.
"""

import itertools
import random
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
from app.exact.text import exact_text
from app.formats import CATALOG, FloatFormat, find_format
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

OTHERS = """
## Known besides

- gfloat rounds numbers below 2^-127 in float8_e8m0fnu otherwise than described here, so its answers there are not
  compared.
- NaN has many codes in IEEE formats; torch, NumPy and ml_dtypes choose different ones. They are taken to agree.
- `torch.finfo(torch.float8_e5m2fnuz).eps` is 0.125; the distance from 1 to the next number is 0.25.
"""


def document() -> str:
    lines = [
        "# Where libraries differ",
        "",
        "Bitlens rounds the typed number once, exactly. For each row a library, asked as its users ask it (text, then",
        "a Python number, then the dtype), stores something else. The tests check every row against the installed",
        "libraries, and that this page is their table.",
        "",
        "Checked with torch 2.13, NumPy 2.4 and ml_dtypes 0.6.",
        "",
        "| format | typed | library | gives | exact | reason |",
        "|---|---|---|---|---|---|",
    ]
    for row in TABLE:
        theirs, ours = (text if len(text) < 40 else f"{float(text):.17g}" for text in (row.theirs, row.ours))
        lines.append(f"| {row.format} | `{row.text}` | {row.library} | {theirs} | {ours} | {REASONS[row.reason]} |")
    return "\n".join(lines) + "\n" + OTHERS


REASONS = {
    TWICE: "rounded to float64 first, then again",
    FLOAT32: "rounded to float32 on the way, then again",
    "witness.saturates": "stores the largest number instead of NaN on overflow",
    "witness.scale-tie-up": "a tie goes up, not to the even code",
    "witness.scale-zero": "zero becomes the smallest number; the format has no zero",
    "witness.scale-lowest": "everything between the two smallest numbers goes up",
    "witness.scale-sign": "the sign is dropped; the format has none",
    "witness.truncates": "what is behind the point is dropped",
    "witness.wraps": "only the last bits are kept",
    "witness.refuses": "raises an exception",
}


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


@pytest.mark.parametrize("number_format", [f for f in CATALOG if isinstance(f, FloatFormat)], ids=lambda f: f.name)
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
        assert answers[0].library == "torch"


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
