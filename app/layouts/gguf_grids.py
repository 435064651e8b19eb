"""The points that the smallest types of ggml round vectors of 8 or 4 numbers to: which of a lattice's points are taken.

llama.cpp found them by clustering the weights of models, so no rule gives them; they are figures of ggml-common.h. All
stand in one order: numbers in base 3 or 8, the first coordinate the lowest digit. So one bit for each number says all,
and where ggml keeps to even sums of digits (points of the lattices E8 and D4), one bit for each number of even sum.
"""

from base64 import b64decode
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class PointSet:
    """Some points of a grid of levels."""

    levels: tuple[int, ...]
    """Of each coordinate, by digit."""
    coordinates: int
    is_even: bool
    """Whether only points whose digits have an even sum are counted."""
    taken: str
    """One bit a point, the first the lowest of its byte, in base 64."""


_UNSIGNED = (8, 25, 43)

_SETS: dict[str, PointSet] = {
    "iq2_xxs": PointSet(
        _UNSIGNED,
        8,
        True,  # noqa: FBT003 - columns of a table
        "f/akmSCmQAAgCAYIACAATJgFYYIsCAQwBMAAAYAAaYJmAAIgAAIAACAEAAAAYEIECFIgQYAIAQAAIQAAQIKCAAIAQABAAIBAAAAAABMgAAgA"
        "BQAAABAAAAgAACYAATEAAEAEAAAMAAAAAJgAgQAACAACCAAAAAAACIAgAAAgAAAAAAAAABAAAMCkSRQmQIAAIAqACIAIAYAEAQAEBCAEAAAA"
        "AQAAAAAmQAEAAAIAQCEAAAACAAKkDAAgARAAAgAAAQAAAAgAAAAAGAABAAAAIAAAAQAgJAAgAAAACAAAAAIAAAAACRAAAYAAAAgAAIAAQAAA"
        "BQAAAABgAAAgAAAAAAAAAAABAAAAAAAAAAAAAAAAmAACgAAgCAIAAAACAAAAYAoECAAgACAAQAACCBAAgAAAAAAAAQAAAAAQAAAAABIkAAAQ"
        "gAAACAAAAAEAAAIIAQAAAAAQAAAAAAAAAAAAAEAAABAAAAAAAAAAACAAQAACAAEAAAAgAAAAAAAgAAAAAAAAAAAAAAAAAAAAAAIAAAIAAAAA"
        "AAAAAAAA",
    ),
    "iq2_xs": PointSet(
        _UNSIGNED,
        8,
        True,  # noqa: FBT003 - columns of a table
        "/9+/eRv+z5s0Ad6EKRAB/Jt3YQK8CRMiAJhAA4AA+FMmQYA4AQKABBAgAQBA4d+8iRPgTZgAwcAFCBAAwJuwQQKACRAAAIAgAAEAADMgCCAA"
        "BQAAAgAAAAgAAP+ECRAgTIAEBAAEEAAgAJqAAQAACABCAEAQEAAAAJQhAAEEAgAAQBAAQQAAGsC/+VMmwJswAQqIGRgAAIC3YQIEARMkAAAI"
        "EYAEAAAmQBEBAEIACQgACAAAAAC8SRMgAJgCAwAACAAEAAA4IQKEAJEAAIAEAEAAQAAiCIgAAAFAGAAAAAAAAAiACRBEEMAAAAAAAAAEAgAB"
        "gQAAAAAgQAEAQAAAAAAABAAAEAAAIAAAACAAQAQAeBMnwAB8AUICABAgAIABaQ4ECAggABAAAAggAAABQAICEAYgAgAAAAAAAgAkQhMgEBAA"
        "AQQAAQAAACCAAAoASQAAAEAAAAYAAAEAAAAAIAAAAgAQAAAABAAEALAhAgAAAQCABABoAQQAAQIACACAAAAAAAAAAACAAAIICwAASAIAADAA"
        "ADAAAAEB",
    ),
    "iq2_s": PointSet(
        _UNSIGNED,
        8,
        True,  # noqa: FBT003 - columns of a table
        "/9+/f1P/zfs2Z97EL1BF/Pv/59v8b//mTfgCbcIEeF//TRE4L9qECBBGQwCA4N+9f9fm//s3b8CWKQMmwPv2b96Ef/MmTIA2YQIEgN/iTRgA"
        "b8IEBCAkQCAAAN7XORIFzokzYQJE0BIAA/o2b8IEaBMmUAAwAQICAFAGTAAIcAIAAEAAggAgGMD/+3+mzfvzb96EedImDID/79+8Cf/mTZwA"
        "b8IECED2zZsgAd6ECRAITIAAAAC8f//mDfg3b8IEaBMmYADwb96ECfAmTIAAYAIFAADgTZgIAcAECAAAQEAAAAige9MmSIA3YQIEBBIgEAAQ"
        "bcIECAAmQAQEAgIAAAAETAAABBAEgAAAAAAAAgCAeFvmRRmwb96ACVgHTAAA4F+8CRPgTZgAEcAEDAAAQBkwAQCIARCAAAAAAjAIEPvkTZgA"
        "ZcBEAAAmQAAAgN6ECRAITIAAAFAEAAQEAJhAAQAADABQAAAAAAAACFBFTgAAEgAEIABAggYAGtAECAAQSEAAAAAAAAACAAAICAAAEAAACCAA"
        "GBYAQAAB",
    ),
    "iq3_xxs": PointSet(
        (4, 12, 20, 28, 36, 44, 52, 62),
        4,
        True,  # noqa: FBT003 - columns of a table
        "txMCYDM1QRAXs5BAOQQAECCAhGAJICAAAEAABNAAAgEzcxgAEwMAADMRACADEQgIBQAQAAAFCBAEAAAAAAIBADMbAgA3EQAak4NBAFEAAFAA"
        "QCAAAggBQAAAAACDAAQAMQMQJAMRDAATBCAgECAAAAAQCCAJAkAAQIAAAgAgAAGEwKAAAAAAQACBAQkIAAQABAAQBAAEAhAAAAAANBAAACAA"
        "ARAJCEAAQCAAIAIAIAAQCgAgAhAAAAAAEAAABAIAAAQMBAABAAGAAAAEAJAAAAAABAAEACAAACAAAAIBAAAeICAAAAgBACAAJABBIAABAAEB"
        "AAMEAAAAEAAAAAAAAA==",
    ),
    "iq3_s": PointSet(
        (1, 3, 5, 7, 9, 11, 13, 15),
        4,
        False,  # noqa: FBT003 - columns of a table
        "p1cjCKUKBZIXI4kiEAAiBKNJIhGkCgAJCCIFShAFgCIBiBIECQIAARQARQiiAEAIQAoAAgAEAAIVAEUIABEAABerBVIAUAIESxECCQIFAEEB"
        "pBEECSABBJIJghECAAQBKBQACkQRAAACCQIFAAIAAAAAkQBQAAAACgUCIAIABAGrVYoFKgWAKQWJJBIEAgAAkgAKgQKIABIlAhQKBAFAAIIA"
        "CSQCAAAkEAIEgAEIAAGFAAIAACACACACQAEIAQAABKoEKpQCCAIqEAoAAQABRAEEARQAAQAAAhGKAYogAAgIQgQCAAQRAAIFIAQQQAAIAEAA"
        "AAIAAAAKAAUgAAAAABEEkQQCAQABhAoEIQgiAAAKIQIIAYAEARAKBSIAAAAABQAQgAEAAAKgAAIAAAAEAAAIABAAAAEAACEAAQgCAAAEEQQA"
        "kQRAECoEAgQAAAAEAQIIQQAIAACEAYAAEAIgCBIAAQRAAAAAAARAAAAKAAAAAAAABAAAABQABAAAAAAAACoACgAAAQABAIEAAAAQAAAEABAE"
        "IAQBARACAAEAAAAAACAACAAEAAkAABAAAAEAIAAAAAEAAAAACgAAAAAAAJEABUABEAQABAIQACgAAAASQQIBAAIAAAQAACQACAAAIggBAAAB"
        "AAAAAAQABAAAAAQAAAIAAAAAAQAAAAAAAAA=",
    ),
    "iq1_s": PointSet(
        (-1, 0, 1),
        8,
        False,  # noqa: FBT003 - columns of a table
        "VSUUhaACQlEIRTGohiCKohoIKiAUhVAUgiBERSUVBaACgiCIGAAIgqADKqCIu6oKkKoLACIACqqMgqAIQFEIRSGIgFAUQlEIijAImKAIgCoI"
        "RSEUhSBIQlUIRQEswqAgiiYAKiSoqqII4q8ICCgoAKACQiiqKCCogCAKmwi5uqggyq6Joq6qOnzr6rq7gg64IrrK0w6SAiIAIiCoiroKggII"
        "ACpK4KI7IiArogCBQIGqiigIIgEUhVAVgiAJRSFUhaAIAiOoOiCEgiBUQlEIoiAIlVAUAioIuKiCgKBIAiAIgqJoogIoqyoIhSAIgjAIRUAA"
        "RSEUhaAAQlEARQEpggCKgioIoTAUBVAUgigIRSEUhSACAiCqKgAgErGKriiouqGqqHAAggoIAigiAoQAggBIgKDqsCqqwiCLuiLq2qeLi26o"
        "krAqqnKLikQMKiBIhEAoiioIqiDIzKIioq+aoOioAgACACqoiAAggKCLoqIouqCAgjIKur64uv7roqArogiKCijqogChMgIM+qTq3u8rqC6N"
        "vn7r+vd/v+Z9ut5p+yf/vyb6EunhiiIQqr4OhKoIsqgLgq7/uiTpg4AEYixo8qgKpCsAAioICOKqEgACgioKpiDJgomQgigAogCMgBMAgggI"
        "AGyKqqq7Aqa+iqDKAoBrly7QsukQghAuqt4oFdGlBAAKggCKgiAIAaEggqo5uiIyhKAJgBgAiqJiAoEURFEARSGsglAUQlEIqiAoqocKEioI"
        "RSEUBaAIQlEIRQEgAqBAoiIAiAAIoghqim64qqqAACAKguLIIiEIRFAUQlEJiiAVhVAUhgoIqioqgAAKQlEIRSGoAFAUQlEI4iCIggoYgioI"
        "qqKqirCLAgoqqiAogoCqCigIKACpiAIioL4LKLgIirpLsq7/uqT4rqogUihotqAw5oAKAigIImpigCAKAqqqK6rqoqmgoggIECCgiiIAgg4A"
        "RSEUhaAKQFEIRSGpBgBKqgIIpQAQDUQUgigIRSEUBQAIgoKs8iAAAACqCigKuiDqogIAgkgJKOkUABFLRVEARQGoAlAUQlEIiCQIiCgKQAgA"
        "RQEUBaACQFEIRQE=",
    ),
}


@cache
def grid_points(name: str) -> Tensor:
    """float32 `[points, coordinates]`: what an index into the grid of that type stands for."""
    points = _SETS[name]
    base = len(points.levels)
    numbers = torch.arange(base**points.coordinates)
    digits = numbers[:, None] // base ** torch.arange(points.coordinates) % base
    if points.is_even:
        digits = digits[digits.sum(dim=1) % 2 == 0]
    taken = torch.frombuffer(bytearray(b64decode(points.taken)), dtype=torch.uint8)
    bits = taken[:, None] >> torch.arange(8, dtype=torch.uint8) & 1
    chosen = digits[bits.view(-1)[: len(digits)] == 1]
    return torch.tensor(points.levels, dtype=torch.float32)[chosen].contiguous()
