"""Why the numbers of a weight cannot be stored, with the counts of the whole weight."""

import torch

from app.errors import WeightFileError
from app.layouts.writing import Numbers
from app.metrics.blocks import blocks
from app.weightfiles.strict_json import shown


def refusal(code: str, numbers: Numbers, scheme: str) -> WeightFileError:
    """The refusal `code` with how many NaN and infinities there are.

    Finite numbers of float64 beyond float32 are `compress.range`.
    """
    nans = infinities = 0
    for _, chunk in numbers.chunks():
        for block in blocks(chunk):
            wide = block.to(torch.float32) if block.element_size() == 1 else block
            nans += int(torch.isnan(wide).sum())
            infinities += int(torch.isinf(wide).sum())
    name = shown(numbers.weight.name)
    if not nans and not infinities:
        return WeightFileError("compress.range", tensor=name, scheme=scheme)
    return WeightFileError(code, tensor=name, nans=nans, infinities=infinities, scheme=scheme)
