"""The table of known formats, and look-up by name or alias."""

from collections.abc import Iterable

from app.errors import InvalidInput
from app.formats.model import BooleanFormat, FloatFormat, Format, IntegerFormat, Origin, Specials

IEEE_754 = "IEEE 754-2019, table 3.5"
OCP_FP8 = "OCP 8-bit Floating Point Specification (OFP8) 1.0, table 1"
FNUZ = "Noune et al., 8-bit Numerical Formats for Deep Neural Networks, 2022 (arXiv:2206.02915)"

_FLOATS = (
    FloatFormat(
        name="float64",
        exponent_bits=11,
        mantissa_bits=52,
        bias=1023,
        origin=Origin(reference=IEEE_754, used_by="torch.float64, C double", aliases=("fp64", "double", "f64")),
    ),
    FloatFormat(
        name="float32",
        exponent_bits=8,
        mantissa_bits=23,
        bias=127,
        origin=Origin(reference=IEEE_754, used_by="torch.float32, C float", aliases=("fp32", "single", "float", "f32")),
    ),
    # float32 with the low 16 bits cut off: the same range, 8 significant bits.
    FloatFormat(
        name="bfloat16",
        exponent_bits=8,
        mantissa_bits=7,
        bias=127,
        origin=Origin(
            reference="Intel BFLOAT16 Hardware Numerics Definition 1.0, 2018",
            used_by="torch.bfloat16, TPU, AVX-512 BF16, NVIDIA Ampere and later",
            aliases=("bf16",),
        ),
    ),
    FloatFormat(
        name="float16",
        exponent_bits=5,
        mantissa_bits=10,
        bias=15,
        origin=Origin(reference=IEEE_754, used_by="torch.float16, every GPU", aliases=("fp16", "half", "f16")),
    ),
    # No infinity: the top binade holds numbers up to 448; S.1111.111 is NaN.
    FloatFormat(
        name="float8_e4m3fn",
        exponent_bits=4,
        mantissa_bits=3,
        bias=7,
        specials=Specials.NAN_ONLY,
        origin=Origin(
            reference=OCP_FP8, used_by="torch.float8_e4m3fn, NVIDIA Hopper and later", aliases=("fp8", "e4m3", "e4m3fn")
        ),
    ),
    FloatFormat(
        name="float8_e5m2",
        exponent_bits=5,
        mantissa_bits=2,
        bias=15,
        origin=Origin(reference=OCP_FP8, used_by="torch.float8_e5m2, NVIDIA Hopper and later", aliases=("e5m2",)),
    ),
    # "uz": minus zero's code is the only NaN, and the bias is one larger than IEEE's.
    FloatFormat(
        name="float8_e4m3fnuz",
        exponent_bits=4,
        mantissa_bits=3,
        bias=8,
        specials=Specials.NEGATIVE_ZERO_NAN,
        origin=Origin(reference=FNUZ, used_by="torch.float8_e4m3fnuz, AMD MI300", aliases=("e4m3fnuz",)),
    ),
    FloatFormat(
        name="float8_e5m2fnuz",
        exponent_bits=5,
        mantissa_bits=2,
        bias=16,
        specials=Specials.NEGATIVE_ZERO_NAN,
        origin=Origin(reference=FNUZ, used_by="torch.float8_e5m2fnuz, AMD MI300", aliases=("e5m2fnuz",)),
    ),
    # A power of two from 2^-127 to 2^127, or NaN: the scale of an MX block. No sign, no zero.
    FloatFormat(
        name="float8_e8m0fnu",
        exponent_bits=8,
        mantissa_bits=0,
        bias=127,
        specials=Specials.NAN_ONLY,
        signed=False,
        has_subnormals=False,
        origin=Origin(
            reference="OCP Microscaling Formats (MX) 1.0, section 5.4.1",
            used_by="torch.float8_e8m0fnu, block scales of MX formats",
            aliases=("e8m0", "e8m0fnu"),
        ),
    ),
)


def _integer(width: int, *, signed: bool, torch_alias: tuple[str, ...] = ()) -> IntegerFormat:
    name = f"{'' if signed else 'u'}int{width}"
    short = f"{'s' if signed else 'u'}{width}"
    letter = (f"i{width}",) if signed else ()
    origin = Origin(
        reference="two's complement, ISO/IEC 9899:2024, 6.2.6.2" if signed else "ISO/IEC 9899:2024, 6.2.6.2",
        used_by=f"torch.{name}, C {name}_t",
        aliases=(short, *letter, *torch_alias),
    )
    return IntegerFormat(name=name, width=width, signed=signed, origin=origin)


_INTEGERS = (
    _integer(8, signed=True),
    _integer(16, signed=True, torch_alias=("short",)),
    _integer(32, signed=True, torch_alias=("int",)),
    _integer(64, signed=True, torch_alias=("long",)),
    _integer(8, signed=False, torch_alias=("byte",)),
    _integer(16, signed=False),
    _integer(32, signed=False),
    _integer(64, signed=False),
)

_BOOL = BooleanFormat(
    name="bool", origin=Origin(reference="ISO/IEC 9899:2024, 6.2.5", used_by="torch.bool", aliases=("boolean",))
)

CATALOG: tuple[Format, ...] = (*_FLOATS, *_INTEGERS, _BOOL)


def _index(formats: Iterable[Format]) -> dict[str, Format]:
    table: dict[str, Format] = {}
    for number_format in formats:
        for name in (number_format.name, *number_format.origin.aliases):
            assert name not in table, f"{name} names two formats"
            table[name] = number_format
    return table


_BY_NAME = _index(CATALOG)
_NAMES = tuple(number_format.name for number_format in CATALOG)


def format_names() -> tuple[str, ...]:
    """The names of the table, without aliases, in its order."""
    return _NAMES


def find_format(name: str) -> Format:
    """The format of that name or alias, in any case.

    Raises:
        InvalidInput: `format.unknown`, with the name as it was given (cut to 40 characters).
    """
    found = _BY_NAME.get(name.strip(" ").lower()) if len(name) <= 40 else None
    if found is None:
        raise InvalidInput("format.unknown", name=name[:40])
    return found
