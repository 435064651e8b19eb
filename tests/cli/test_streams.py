"""`bitlens encode` and `decode`: one line out for each line in, whatever is in it."""

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.decode import decoder
from app.cli.encode import encoder
from app.exact import Rounding, decode, encode, parse
from app.exact.plain_decimals import plain_decoder, plain_encoder
from app.exact.text import value_text
from app.formats import FloatFormat, find_format
from app.tasks.code_text import format_hex


def run(text: bytes, *words: str) -> tuple[int, list[str], str]:
    done = subprocess.run([sys.executable, "-m", "app", *words], input=text, capture_output=True, check=False)
    return done.returncode, done.stdout.decode().split("\n"), done.stderr.decode()


def test_each_line_has_its_answer_and_bad_ones_an_error() -> None:
    text = b"0.1\r\nx\n\n1/3\n-0\n\xff\n1\x00\nnan(3)\n" + b"9" * 5000 + b"\n" + b"9" * 300_000 + b"\n2^-24"
    code, lines, complaint = run(text, "encode", "-f", "float16")
    assert (code, complaint) == (1, "")
    assert [line if line.startswith("0x") else line[:6] for line in lines] == [
        *("0x2e66", "error:", "error:", "0x3555", "0x8000", "error:", "error:", "0x7e03", "error:", "error:"),
        *("0x0001", ""),
    ]
    assert "position 1" in lines[1]
    assert "0xff" in lines[5]


def test_codes_become_exact_decimals() -> None:
    code, lines, _ = run(b"0x2e66\n0b0011110000000000\n1000000000000000\n0x7c00\n0x7e00\n", "decode", "-f", "fp16")
    assert (code, lines) == (0, ["0.0999755859375", "1", "-0", "inf", "nan", ""])
    code, lines, _ = run(b"0x80\n0x8\n256\n", "decode", "-f", "posit8")
    assert code == 1
    assert lines[0] == "nar"
    assert lines[1].startswith("error: ")
    assert lines[2].startswith("error: ")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_closed_streams_are_told_in_one_sentence(closed: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m app encode -f float16 {closed}', sys.executable],
        input=b"1\n",
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"bitlens: Reading or writing failed: ")
    assert done.stderr.count(b"\n") == 1


def test_nothing_in_nothing_out() -> None:
    assert run(b"", "encode", "-f", "int8") == (0, [""], "")


@pytest.mark.parametrize(
    "words", [("-f", "float17x"), ("-f", "int8", "--overflow", "ieee"), ("-f", "f16", "--rounding", "up")]
)
def test_wrong_options_are_told_once(words: tuple[str, ...]) -> None:
    code, lines, complaint = run(b"1\n1\n", "encode", *words)
    assert (code, lines) == (1, [""])
    assert complaint.count("\n") == 1


def test_an_answer_does_not_wait_for_the_next_line() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "app", "encode", "-f", "bfloat16"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        for text, code in ((b"1\n", b"0x3f80\n"), (b"-2\n", b"0xc000\n")):
            child.stdin.write(text)
            child.stdin.flush()
            assert child.stdout.readline() == code
        child.stdin.close()


def test_a_reader_that_has_gone_is_no_failure() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "app", "encode", "-f", "int8"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.close()
        _, complaint = child.communicate(b"1\n" * 100_000)
    assert (child.returncode, complaint) == (0, b"")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak from /proc")
def test_a_line_without_end_takes_no_memory_and_torch_is_not_loaded() -> None:
    program = (
        "import sys\nfrom app.cli import main\n"
        "main(['encode', '-f', 'float32'])\n"
        # Not `ru_maxrss`, which a process inherits from the one that started it.
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]\n"
        "print(peak, 'torch' in sys.modules)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        for _ in range(200):
            child.stdin.write(b"1" * (1 << 20))
        out, _ = child.communicate()
    error, rest = out.decode().splitlines()
    kilobytes, has_torch = rest.split()
    assert error.startswith("error: ")
    assert int(kilobytes) < 100_000
    assert has_torch == "False"


HARD = ["65519.999", "65520", "65504", "5.9604644775390625e-8", "2.98023223876953125e-8", "2.9802322387695313e-8"]
HARD += [
    "2049",
    "2051",
    "0",
    "-0",
    "1e-45",
    "7.006492321624085e-46",
    "3.4028235677973366e38",
    "1e999",
    "1.",
    ".5",
    "1e-999",
]


@pytest.mark.parametrize(
    "name", ["float16", "float32", "float64", "bfloat16", "float8_e4m3fn", "float80", "e5m10:bias=40"]
)
@pytest.mark.parametrize("rounding", list(Rounding))
def test_the_short_way_gives_what_the_long_way_gives(name: str, rounding: Rounding) -> None:
    number_format = find_format(name)
    short = plain_encoder(number_format, rounding)

    @given(st.from_regex(r"\A[+-]?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,2})?\Z") | st.sampled_from(HARD))
    def agree(text: str) -> None:
        code = short(text)
        assert code is None or code == encode(parse(text), number_format, rounding).code

    agree()


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float8_e5m2"])
def test_the_short_way_at_every_number_and_every_tie(name: str) -> None:
    number_format = find_format(name)
    assert isinstance(number_format, FloatFormat)
    short = plain_encoder(number_format, Rounding.NEAREST_EVEN)
    step = 1 if number_format.width == 8 else 257
    for code in range(1, number_format.max_magnitude, step):
        below, above = number_format.value_of(code), number_format.value_of(code + 1)
        assert below is not None
        assert above is not None
        middle = (below + above) / 2
        for value in (below, middle, middle * (1 + middle / 10**9), middle * (1 - middle / 10**9)):
            places = value.denominator.bit_length() - 1
            text = (
                f"{value.numerator * 5**places}e-{places}" if value.denominator & (value.denominator - 1) == 0 else "1"
            )
            found = short(text)
            assert found is None or found == encode(parse(text), number_format).code


@pytest.mark.parametrize("name", ["float16", "posit16", "int8", "float8_e4m3fn"])
def test_every_code_comes_back(name: str) -> None:
    number_format = find_format(name)
    to_text, to_code = decoder(number_format), encoder(number_format)
    for code in range(0, 1 << number_format.width, 1 if number_format.width == 8 else 7):
        text = to_text(format_hex(code, number_format))
        if text not in ("nan", "nar"):
            assert to_code(text) == format_hex(code, number_format)


@given(st.floats(width=32, allow_nan=False))
def test_float32_as_struct_packs_it(value: float) -> None:
    number_format = find_format("float32")
    assert encoder(number_format)(repr(value)) == f"0x{struct.unpack('<I', struct.pack('<f', value))[0]:08x}"


@pytest.mark.parametrize(
    "name", ["float16", "float8_e4m3fn", "float8_e5m2fnuz", "binary8p3ue", "float6_e2m3fn", "e5m10:bias=40"]
)
def test_short_decoding_of_every_code(name: str) -> None:
    number_format = find_format(name)
    short = plain_decoder(number_format)
    for code in range(0, 1 << number_format.width, 1 if number_format.width == 8 else 7):
        text = short(code)
        assert text is None or text == value_text(decode(code, number_format))


@given(
    st.integers(0, 2**128 - 1), st.sampled_from(["float32", "float64", "float128", "bfloat16", "tfloat32", "float80"])
)
def test_short_decoding_of_wide_codes(code: int, name: str) -> None:
    number_format = find_format(name)
    code >>= 128 - number_format.width
    text = plain_decoder(number_format)(code)
    assert text is None or text == value_text(decode(code, number_format))
