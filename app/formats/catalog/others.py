"""The formats in use that are no floats, and those that spell themselves out."""

from dataclasses import replace
from fractions import Fraction

from app.formats.blocks import BlockFormat
from app.formats.catalog.floats import FLOAT8, NARROW_FLOATS, OCP_MX, WIDE_FLOATS
from app.formats.codebooks import CodebookFormat
from app.formats.floats import FloatFormat
from app.formats.integers import BooleanFormat, IntegerFormat, Notation
from app.formats.names.custom_floats import p3109_float
from app.formats.names.spelled import fixed_point_format, integer_format, posit_format, takum_format
from app.formats.origin import Origin

C_TYPES = {8: "int8_t", 16: "int16_t", 32: "int32_t", 64: "int64_t", 128: "__int128"}
SMALL_INTEGERS = {
    1: ("torch.int1",),
    2: ("torch.int2", "ml_dtypes.int2"),
    4: ("torch.int4", "ml_dtypes.int4", "ONNX INT4"),
}
TORCH_ALIASES = {"int16": "short", "int32": "int", "int64": "long", "uint8": "byte"}


def _listed_integer(width: int, *, signed: bool) -> IntegerFormat:
    number_format = integer_format(width, signed=signed)
    name, sign = number_format.name, "" if signed else "u"
    if width in SMALL_INTEGERS:
        used_by = tuple(
            each.replace(".int", f".{sign}int").replace(" INT", f" {sign.upper()}INT") for each in SMALL_INTEGERS[width]
        )
    else:
        c_type = "unsigned __int128" if width == 128 and not signed else sign + C_TYPES[width]
        in_c = c_type if width == 128 else f"C {c_type}"
        used_by = (f"GCC {in_c}",) if width == 128 else (f"torch.{name}", f"numpy.{name}", in_c)
    letters = ("s", "i") if signed else ("u",)
    aliases = (*(f"{letter}{width}" for letter in letters), *((TORCH_ALIASES[name],) if name in TORCH_ALIASES else ()))
    return replace(number_format, origin=replace(number_format.origin, used_by=used_by, aliases=aliases))


def _p3109(name: str) -> FloatFormat:
    found = p3109_float(name)
    assert found is not None
    return replace(found, origin=replace(found.origin, used_by=("gfloat",)))


INTEGERS = (
    *(_listed_integer(width, signed=True) for width in (1, 2, 4, 8, 16, 32, 64, 128)),
    *(_listed_integer(width, signed=False) for width in (1, 2, 4, 8, 16, 32, 64, 128)),
    integer_format(8, signed=True, notation=Notation.ONES_COMPLEMENT),
    integer_format(8, signed=True, notation=Notation.SIGN_MAGNITUDE),
)

BOOL = BooleanFormat(
    name="bool",
    origin=Origin(
        reference="ISO/IEC 9899:2024, 6.2.5", used_by=("torch.bool", "numpy.bool", "C bool"), aliases=("boolean",)
    ),
)

P3109 = tuple(map(_p3109, ("binary8p3se", "binary8p4se", "binary8p5se", "binary8p1uf", "binary6p3sf", "binary4p2sf")))

POSITS = tuple(
    replace(each, origin=replace(each.origin, used_by=("SoftPosit", "Universal")))
    for each in map(posit_format, (8, 16, 32, 64))
)
TAKUMS = tuple(
    replace(each, origin=replace(each.origin, used_by=("libtakum",))) for each in map(takum_format, (8, 16, 32, 64))
)

FIXED_POINT = (
    replace(
        fixed_point_format(0, 7, signed=True),
        origin=Origin(reference="ARM CMSIS-DSP, q7_t", used_by=("CMSIS-DSP q7_t",), aliases=("q7",)),
    ),
    replace(
        fixed_point_format(0, 15, signed=True),
        origin=Origin(
            reference="ISO/IEC TR 18037:2008, 4.1, fract; ARM CMSIS-DSP, q15_t",
            used_by=("CMSIS-DSP q15_t", "C _Fract"),
            aliases=("q15",),
        ),
    ),
    replace(
        fixed_point_format(0, 31, signed=True),
        origin=Origin(
            reference="ISO/IEC TR 18037:2008, 4.1, long fract; ARM CMSIS-DSP, q31_t",
            used_by=("CMSIS-DSP q31_t", "C long _Fract"),
            aliases=("q31",),
        ),
    ),
    fixed_point_format(7, 8, signed=True),
    fixed_point_format(15, 16, signed=True),
    fixed_point_format(8, 8, signed=False),
)


def _float32(numerator: int, exponent: int) -> Fraction:
    return Fraction(numerator, 1 << -exponent)


# bitsandbytes stores both tables as float32: these are the exact numbers of those.
NF4_VALUES = tuple(
    Fraction(value)
    for value in (
        -1.0,
        -0.6961928009986877,
        -0.5250730514526367,
        -0.39491748809814453,
        -0.28444138169288635,
        -0.18477343022823334,
        -0.09105003625154495,
        0.0,
        0.07958029955625534,
        0.16093020141124725,
        0.24611230194568634,
        0.33791524171829224,
        0.44070982933044434,
        0.5626170039176941,
        0.7229568362236023,
        1.0,
    )
)
"""Each is a float32 written with the digits of its float64, which holds it exactly."""

# 0.0625, 8, 12, 4, 6, 2 and 3 twelfths, rounded to float32.
FP4_BNB_POSITIVE = (
    Fraction(0),
    _float32(11184811, -31),
    _float32(11184811, -24),
    Fraction(1),
    _float32(11184811, -25),
    Fraction(1, 2),
    _float32(11184811, -26),
    Fraction(1, 4),
)

CODEBOOKS = (
    CodebookFormat(
        name="nf4",
        values=NF4_VALUES,
        origin=Origin(
            reference="Dettmers et al., QLoRA, 2023 (arXiv:2305.14314), appendix E",
            used_by=("bitsandbytes nf4", "transformers"),
            aliases=("normalfloat4",),
        ),
    ),
    CodebookFormat(
        name="fp4_bnb",
        values=(*FP4_BNB_POSITIVE, *(-value for value in FP4_BNB_POSITIVE)),
        origin=Origin(
            reference="bitsandbytes 0.48, functional.py, get_4bit_type",
            used_by=("bitsandbytes fp4", "transformers"),
            aliases=("bnb_fp4",),
        ),
    ),
)

_FLOAT = {each.name: each for each in (*WIDE_FLOATS, *FLOAT8, *NARROW_FLOATS)}
_MX_SCALE = _FLOAT["float8_e8m0fnu"]


def _mx(name: str, element: FloatFormat, *aliases: str, used_by: tuple[str, ...]) -> BlockFormat:
    origin = Origin(reference=f"{OCP_MX}, 5.2, table 1", used_by=used_by, aliases=aliases)
    return BlockFormat(name=name, element=element, scale=_MX_SCALE, block_size=32, origin=origin)


_BLACKWELL = ("NVIDIA Blackwell+", "AMD MI350", "torchao", "compressed-tensors")
BLOCKS = (
    _mx("mxfp8_e4m3", _FLOAT["float8_e4m3fn"], "mxfp8", used_by=_BLACKWELL),
    _mx("mxfp8_e5m2", _FLOAT["float8_e5m2"], used_by=_BLACKWELL),
    _mx("mxfp6_e2m3", _FLOAT["float6_e2m3fn"], "mxfp6", used_by=_BLACKWELL),
    _mx("mxfp6_e3m2", _FLOAT["float6_e3m2fn"], used_by=_BLACKWELL),
    _mx("mxfp4", _FLOAT["float4_e2m1fn"], "mxfp4_e2m1", used_by=(*_BLACKWELL, "GGUF MXFP4")),
    # Two's complement in units of 2^-6; the OCP specification leaves -2 to the implementer.
    BlockFormat(
        name="mxint8",
        element=fixed_point_format(1, 6, signed=True),
        scale=_MX_SCALE,
        block_size=32,
        origin=Origin(reference=f"{OCP_MX}, 5.3.4"),
    ),
    # 16 elements, not 32, and a float8 scale, not a power of two: not to be mixed up with MXFP4.
    BlockFormat(
        name="nvfp4",
        element=_FLOAT["float4_e2m1fn"],
        scale=_FLOAT["float8_e4m3fn"],
        block_size=16,
        tensor_scale=_FLOAT["float32"],
        origin=Origin(
            reference="NVIDIA, Introducing NVFP4 for Efficient and Accurate Low-Precision Inference, 2025",
            used_by=("NVIDIA Blackwell+", "torchao", "compressed-tensors", "TensorRT", "GGUF NVFP4"),
        ),
    ),
)
