"""Which scheme of ours stands against which peer: the same layout, no more bytes, our default search."""

import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version

import torch

from app.schemes.entries import SchemeOptions
from app.schemes.registry import ENTRIES
from benchmarks.quantize_file_peers import CompressedTensors, Ggml, GgufPython, Mlx
from benchmarks.quantize_peers import (
    BitsandbytesFour,
    BitsandbytesInt8,
    Hqq,
    Peer,
    Quanto,
    TorchaoFloat8,
    TorchaoInt4,
    TorchaoInt8,
    TorchaoMx,
    TorchaoNvfp4,
)
from tests.oracles import ggml_library

PACKAGES = (
    *("torch", "torchao", "bitsandbytes", "compressed-tensors", "optimum-quanto", "hqq", "mlx", "pywhispercpp"),
    "gguf",
)


def circumstances() -> str:
    """The machine, how busy it is, and whose releases are compared; ggml's library is pywhispercpp's."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    releases = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{platform.machine()}, {cores} cores, load {load:.1f} at the start; {releases}."


@dataclass(frozen=True, slots=True)
class Contest:
    """One row of the tables."""

    owner: str
    what: str
    peer: Peer
    scheme: str
    options: SchemeOptions = field(default_factory=SchemeOptions)
    block: int = 1
    """Rows of other lengths than its multiples are left out."""

    @property
    def is_ready(self) -> bool:
        """Whether the scheme stands in the table of schemes."""
        return self.scheme in ENTRIES


def _groups(size: int, scales: str, *, zero_point: str | None = None) -> SchemeOptions:
    return SchemeOptions(
        granularity=f"group={size}",
        scale_format=scales,
        zero_point=zero_point,
        symmetric=None if zero_point is None else False,
    )


def _rows(scales: str = "float32") -> SchemeOptions:
    return SchemeOptions(granularity="channel", scale_format=scales)


def _torchao() -> list[Contest]:
    found = [
        Contest("torchao", "int8 rows", TorchaoInt8(), "int8", _rows()),
        Contest("torchao", "float8 E4M3 rows", TorchaoFloat8(), "fp8", _rows()),
        Contest("torchao", "NVFP4", TorchaoNvfp4(), "nvfp4", block=16),
    ]
    for group in (32, 128):
        ours = _groups(group, "bfloat16")
        affine = _groups(group, "bfloat16", zero_point="integer")
        found += [
            Contest("torchao", f"int4 group {group}", TorchaoInt4(group), "int4", ours, group),
            Contest(
                "torchao", f"int4 group {group} asymmetric", TorchaoInt4(group, "ASYMMETRIC"), "int4", affine, group
            ),
        ]
    hqq_scales = TorchaoInt4(128, "SYMMETRIC", "HQQ_SCALE_ONLY")
    found.append(Contest("torchao", "int4 group 128, HQQ scales", hqq_scales, "int4", _groups(128, "bfloat16"), 128))
    for name, element in (("mxfp8", torch.float8_e4m3fn), ("mxfp4", torch.float4_e2m1fn_x2)):
        for mode in ("FLOOR", "RCEIL", "CEIL", "EVEN"):
            found.append(Contest("torchao", f"{name.upper()} {mode.lower()}", TorchaoMx(element, mode), name, block=32))
    return found


def _bitsandbytes() -> list[Contest]:
    found = [Contest("bitsandbytes", "int8 rows", BitsandbytesInt8(), "int8", _rows())]
    for kind in ("nf4", "fp4"):
        for block in (64, 128):
            for is_double in (False, True):
                options = SchemeOptions(granularity=f"block={block}", double_quant=is_double)
                what = f"{kind} block {block}{', double quant' if is_double else ''}"
                peer = BitsandbytesFour(kind, block, is_double)
                found.append(Contest("bitsandbytes", what, peer, kind, options))
    return found


def _compressed_tensors() -> list[Contest]:
    def contest(preset: str, scheme: str, options: SchemeOptions | None = None, block: int = 1) -> Contest:
        what = preset.replace("_", " ")
        return Contest("compressed-tensors", what, CompressedTensors(preset), scheme, options or SchemeOptions(), block)

    return [
        contest("W4A16", "int4", _groups(128, "bfloat16"), 128),
        contest("W4A16_ASYM", "int4", _groups(128, "bfloat16", zero_point="integer"), 128),
        contest("W8A16", "int8", _groups(128, "bfloat16"), 128),
        contest("W8A8", "int8", _rows("bfloat16")),
        contest("NVFP4A16", "nvfp4", block=16),
        contest("MXFP4A16", "mxfp4", block=32),
        contest("MXFP6A16", "mxfp6", block=32),
        contest("MXFP8", "mxfp8", block=32),
        contest("FP8_DYNAMIC", "fp8", _rows()),
    ]


def _quanto_and_hqq() -> list[Contest]:
    float_zeros = _groups(64, "float16", zero_point="float")
    found = [
        Contest("optimum-quanto", "qint8 rows", Quanto(8, None, "AbsmaxOptimizer"), "int8", _rows("float16")),
        Contest("optimum-quanto", "qint4 group 64", Quanto(4, 64), "int4", float_zeros, 64),
        Contest("optimum-quanto", "qint4 group 64, HQQ", Quanto(4, 64, "HqqOptimizer"), "int4", float_zeros, 64),
        Contest("optimum-quanto", "qint2 group 64", Quanto(2, 64), "int2", float_zeros, 64),
    ]
    for bits in (4, 3, 2):
        for group in (64, 128):
            options = _groups(group, "float16", zero_point="float")
            found.append(Contest("HQQ", f"{bits} bits, group {group}", Hqq(bits, group), f"int{bits}", options, group))
    return found


def _mlx() -> list[Contest]:
    found = []
    for bits in (2, 3, 4, 6, 8):
        for group in (32, 64, 128):
            options = _groups(group, "float16")
            what = f"{bits} bits, group {group}"
            found.append(Contest("MLX", what, Mlx(bits, group), f"affine{bits}", options, group))
    return [
        *found,
        Contest("MLX", "mxfp4", Mlx(4, 32, "mxfp4"), "mxfp4", block=32),
        Contest("MLX", "mxfp8", Mlx(8, 32, "mxfp8"), "mxfp8", block=32),
        Contest("MLX", "nvfp4, no scale of the tensor", Mlx(4, 16, "nvfp4"), "gguf_nvfp4", block=64),
    ]


_IN_PYTHON = ("q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "tq1_0", "tq2_0", "mxfp4")
_IGNORES_IMPORTANCE = ("q8_0", "tq1_0", "tq2_0", "mxfp4", "nvfp4")


def _gguf() -> list[Contest]:
    found = []
    for kind in ggml_library.TYPES:
        block, _ = ggml_library.block_bytes(kind)
        ours = f"gguf_{kind}" if kind in ("mxfp4", "nvfp4") else kind
        found.append(Contest("ggml", kind.upper(), Ggml(kind), ours, block=block))
        if kind not in _IGNORES_IMPORTANCE:
            peer = Ggml(kind, has_ones=True)
            found.append(Contest("ggml", f"{kind.upper()}, imatrix of ones", peer, ours, block=block))
        if kind in _IN_PYTHON:
            found.append(Contest("gguf-py", kind.upper(), GgufPython(kind), ours, block=block))
    return found


def contests() -> list[Contest]:
    """All of them, by owner."""
    return [*_torchao(), *_bitsandbytes(), *_compressed_tensors(), *_quanto_and_hqq(), *_mlx(), *_gguf()]
