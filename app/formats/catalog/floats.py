"""The floating-point formats in use: two lines of comment say what sets each apart."""

from app.formats.floats import FloatFormat, Specials
from app.formats.origin import Origin

IEEE_754 = "IEEE 754-2019, 3.6, table 3.5"
OCP_FP8 = "OCP 8-bit Floating Point Specification (OFP8) 1.0, table 1"
OCP_MX = "OCP Microscaling Formats (MX) 1.0"
FNUZ = "Noune et al., 8-bit Numerical Formats for Deep Neural Networks, 2022 (arXiv:2206.02915)"

WIDE_FLOATS = (
    FloatFormat(
        name="float128",
        exponent_bits=15,
        mantissa_bits=112,
        bias=16383,
        origin=Origin(
            reference=IEEE_754,
            used_by=("C _Float128", "GCC __float128", "Fortran real128", "IBM POWER9+", "AArch64 long double"),
            aliases=("fp128", "binary128", "quad", "f128"),
        ),
    ),
    # The only format in use that stores the bit before the point, so that some codes contradict themselves.
    FloatFormat(
        name="float80",
        exponent_bits=15,
        mantissa_bits=63,
        bias=16383,
        has_explicit_integer_bit=True,
        storage_bits=128,
        origin=Origin(
            reference="Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 4.2.2 and 8.2",
            used_by=("x87 FPU", "x86-64 long double (Linux, macOS)", "numpy.longdouble (x86-64)"),
            aliases=("x87", "fp80", "f80", "extended"),
        ),
    ),
    FloatFormat(
        name="float64",
        exponent_bits=11,
        mantissa_bits=52,
        bias=1023,
        origin=Origin(
            reference=IEEE_754,
            used_by=("torch.float64", "numpy.float64", "C double", "Python float", "JavaScript Number"),
            aliases=("fp64", "double", "f64", "binary64"),
        ),
    ),
    FloatFormat(
        name="float32",
        exponent_bits=8,
        mantissa_bits=23,
        bias=127,
        origin=Origin(
            reference=IEEE_754,
            used_by=("torch.float32", "numpy.float32", "C float", "GGUF F32"),
            aliases=("fp32", "single", "float", "f32", "binary32"),
        ),
    ),
    # float32's range with float16's precision: 19 bits in a 32-bit slot, the low 13 of which are ignored.
    FloatFormat(
        name="tfloat32",
        exponent_bits=8,
        mantissa_bits=10,
        bias=127,
        storage_bits=32,
        origin=Origin(
            reference="NVIDIA PTX ISA 9.0, 5.2.3, alternate floating-point data formats",
            used_by=("NVIDIA Ampere+ (tensor cores)",),
            aliases=("tf32", "tensorfloat32"),
        ),
    ),
    # float32 with the low 16 bits cut off: the same range, 8 significant bits.
    FloatFormat(
        name="bfloat16",
        exponent_bits=8,
        mantissa_bits=7,
        bias=127,
        origin=Origin(
            reference="Intel BFLOAT16 Hardware Numerics Definition 1.0, 2018",
            used_by=("torch.bfloat16", "ml_dtypes.bfloat16", "TPU", "AVX-512 BF16", "NVIDIA Ampere+", "GGUF BF16"),
            aliases=("bf16",),
        ),
    ),
    FloatFormat(
        name="float16",
        exponent_bits=5,
        mantissa_bits=10,
        bias=15,
        origin=Origin(
            reference=IEEE_754,
            used_by=("torch.float16", "numpy.float16", "C _Float16", "GPU", "GGUF F16"),
            aliases=("fp16", "half", "f16", "binary16"),
        ),
    ),
)

FLOAT8 = (
    # No infinity: the top binade holds numbers up to 448; S.1111.111 is NaN.
    FloatFormat(
        name="float8_e4m3fn",
        exponent_bits=4,
        mantissa_bits=3,
        bias=7,
        specials=Specials.NAN_ONLY,
        origin=Origin(
            reference=OCP_FP8,
            used_by=(
                "torch.float8_e4m3fn",
                "ml_dtypes.float8_e4m3fn",
                "ONNX FLOAT8E4M3FN",
                "NVIDIA Hopper+",
                "AMD MI350",
            ),
            aliases=("fp8", "e4m3", "e4m3fn", "f8_e4m3", "float8e4m3fn", "fp8_e4m3"),
        ),
    ),
    FloatFormat(
        name="float8_e5m2",
        exponent_bits=5,
        mantissa_bits=2,
        bias=15,
        origin=Origin(
            reference=OCP_FP8,
            used_by=("torch.float8_e5m2", "ml_dtypes.float8_e5m2", "ONNX FLOAT8E5M2", "NVIDIA Hopper+", "AMD MI350"),
            aliases=("e5m2", "bf8", "f8_e5m2", "float8e5m2", "fp8_e5m2"),
        ),
    ),
    # "uz": minus zero's code is the only NaN, and the bias is one larger than IEEE's.
    FloatFormat(
        name="float8_e4m3fnuz",
        exponent_bits=4,
        mantissa_bits=3,
        bias=8,
        specials=Specials.NAN_ONLY,
        allows_negative_zero=False,
        origin=Origin(
            reference=FNUZ,
            used_by=(
                "torch.float8_e4m3fnuz",
                "ml_dtypes.float8_e4m3fnuz",
                "ONNX FLOAT8E4M3FNUZ",
                "AMD MI300",
                "Graphcore IPU",
            ),
            aliases=("e4m3fnuz", "f8_e4m3fnuz", "float8e4m3fnuz"),
        ),
    ),
    FloatFormat(
        name="float8_e5m2fnuz",
        exponent_bits=5,
        mantissa_bits=2,
        bias=16,
        specials=Specials.NAN_ONLY,
        allows_negative_zero=False,
        origin=Origin(
            reference=FNUZ,
            used_by=(
                "torch.float8_e5m2fnuz",
                "ml_dtypes.float8_e5m2fnuz",
                "ONNX FLOAT8E5M2FNUZ",
                "AMD MI300",
                "Graphcore IPU",
            ),
            aliases=("e5m2fnuz", "f8_e5m2fnuz", "float8e5m2fnuz"),
        ),
    ),
    # The bias 11 moves the range down: from 2^-13 to 30.
    FloatFormat(
        name="float8_e4m3b11fnuz",
        exponent_bits=4,
        mantissa_bits=3,
        bias=11,
        specials=Specials.NAN_ONLY,
        allows_negative_zero=False,
        origin=Origin(
            reference="ml_dtypes 0.6, float8.h",
            used_by=("ml_dtypes.float8_e4m3b11fnuz", "XLA F8E4M3B11FNUZ"),
            aliases=("e4m3b11fnuz", "e4m3b11"),
        ),
    ),
    # IEEE 754's rules at 8 bits: infinities, and 14 NaN codes.
    FloatFormat(
        name="float8_e4m3",
        exponent_bits=4,
        mantissa_bits=3,
        bias=7,
        origin=Origin(
            reference="IEEE 754-2019, 3.4, at 8 bits; ml_dtypes 0.6, float8.h",
            used_by=("ml_dtypes.float8_e4m3", "XLA F8E4M3"),
            aliases=("e4m3ieee", "float8e4m3"),
        ),
    ),
    # More mantissa, less range: up to 15.5, with 30 NaN codes.
    FloatFormat(
        name="float8_e3m4",
        exponent_bits=3,
        mantissa_bits=4,
        bias=3,
        origin=Origin(
            reference="IEEE 754-2019, 3.4, at 8 bits; ml_dtypes 0.6, float8.h",
            used_by=("ml_dtypes.float8_e3m4", "XLA F8E3M4"),
            aliases=("e3m4", "float8e3m4"),
        ),
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
        has_zero=False,
        origin=Origin(
            reference=f"{OCP_MX}, 5.4.1",
            used_by=("torch.float8_e8m0fnu", "ml_dtypes.float8_e8m0fnu", "ONNX FLOAT8E8M0", "MX block scales"),
            aliases=("e8m0", "e8m0fnu", "f8_e8m0", "ue8m0", "float8e8m0"),
        ),
    ),
)

NARROW_FLOATS = (
    FloatFormat(
        name="float6_e2m3fn",
        exponent_bits=2,
        mantissa_bits=3,
        bias=1,
        specials=Specials.NONE,
        origin=Origin(
            reference=f"{OCP_MX}, 5.3.2",
            used_by=("ml_dtypes.float6_e2m3fn", "NVIDIA Blackwell+", "AMD MI350"),
            aliases=("e2m3", "e2m3fn", "fp6_e2m3", "f6_e2m3"),
        ),
    ),
    FloatFormat(
        name="float6_e3m2fn",
        exponent_bits=3,
        mantissa_bits=2,
        bias=3,
        specials=Specials.NONE,
        origin=Origin(
            reference=f"{OCP_MX}, 5.3.2",
            used_by=("ml_dtypes.float6_e3m2fn", "NVIDIA Blackwell+", "AMD MI350"),
            aliases=("fp6", "e3m2", "e3m2fn", "fp6_e3m2", "f6_e3m2"),
        ),
    ),
    # 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives.
    FloatFormat(
        name="float4_e2m1fn",
        exponent_bits=2,
        mantissa_bits=1,
        bias=1,
        specials=Specials.NONE,
        origin=Origin(
            reference=f"{OCP_MX}, 5.3.3",
            used_by=("ml_dtypes.float4_e2m1fn", "ONNX FLOAT4E2M1", "NVIDIA Blackwell+", "AMD MI350"),
            aliases=("fp4", "e2m1", "e2m1fn", "fp4_e2m1", "f4", "float4e2m1"),
        ),
    ),
)
