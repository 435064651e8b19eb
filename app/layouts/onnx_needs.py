"""What a model must be for a weight to be restored in it: its operator sets and version (Operators.md, onnx.proto)."""

from dataclasses import dataclass

from app.layouts.writing import Obstacle
from app.schemes.partitions import Granularity
from app.weightfiles.onnx_messages import MICROSOFT

OPSET_REASON, TYPE_REASON = "onnx-opset", "onnx-type"
"""Of obstacles."""
LEAST_IR = 4
"""From this version on initializers need not be inputs of the graph too."""
OWN_IR, OWN_OPSET = 10, 21
"""Of models that are made anew."""
_OPSETS = {"int2": 25, "uint2": 25, "int4": 21, "uint4": 21, "float8_e4m3fn": 19, "int8": 10, "uint8": 10}
"""Where DequantizeLinear first takes such codes."""
_GRANULARITIES = {Granularity.TENSOR: 10, Granularity.CHANNEL: 13, Granularity.GROUP: 21}
_RESULTS = {"float32": 10, "float16": 19, "bfloat16": 19}
_CASTS = {"float16": 6, "bfloat16": 13}
_FLOAT8_CAST = 19
_MICROSOFT_CODES = frozenset({"int8", "uint8", "int4", "uint4"})
_IR = {
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz"), 9),
    **dict.fromkeys(("int4", "uint4"), 10),
    "float4_e2m1fn": 11,
    "float8_e8m0fnu": 12,
    **dict.fromkeys(("int2", "uint2"), 13),
    **dict.fromkeys(("float6_e2m3fn", "float6_e3m2fn"), 14),
}


@dataclass(frozen=True, slots=True)
class Needs:
    """Of one weight."""

    opset: int
    """Of the default domain; 0 where another domain's operator does it."""
    domain: str = ""


def ir_version(number_format: str) -> int:
    """The first version of models that may hold such elements."""
    return _IR.get(number_format, LEAST_IR)


def cast_needs(stored: str, opset: int | None) -> Needs | Obstacle:
    """For numbers that a Cast widens; `opset` is the model's, None where it is ours to choose."""
    needed = _CASTS.get(stored, _FLOAT8_CAST)
    return Needs(needed) if opset is None or opset >= needed else _too_old(opset, needed)


def dequantizing_needs(codes: str, granularity: Granularity, result: str, opset: int | None) -> Needs | Obstacle:
    """For codes that DequantizeLinear restores, by onnxruntime's own where the model is too old for ONNX's."""
    if result not in _RESULTS:
        return Obstacle(TYPE_REASON, {"format": result})
    needed = max(_OPSETS[codes], _GRANULARITIES[granularity], _RESULTS[result])
    if opset is None or opset >= needed:
        return Needs(needed)
    is_simple = granularity is not Granularity.GROUP and result != "bfloat16"
    return Needs(0, MICROSOFT) if codes in _MICROSOFT_CODES and is_simple else _too_old(opset, needed)


def _too_old(opset: int, needed: int) -> Obstacle:
    return Obstacle(OPSET_REASON, {"opset": opset, "needed": needed})
