"""One block of a quantized weight taken apart: the bytes stored for it, and the numbers that they stand for."""

import math
from typing import Any

from app.errors import AppError
from app.layouts.weights import Weight, WeightReader

MOST_VALUES = 256
MOST_BYTES = 512


def block_look(reader: WeightReader, weight: Weight) -> dict[str, Any] | None:
    """The first block, or the first row of a weight without blocks; None where there is nothing to be seen."""
    if weight.encoding is None or not weight.elements:
        return None
    unit = min(max(weight.encoding.decoder.unit, 1), weight.elements)
    try:
        values = reader.elements(weight, 0, unit)[:MOST_VALUES].to("cpu").double().tolist()
    except AppError:
        return None
    code = weight.parts[0]
    is_block = code.type.block_elements > 1
    count = min(code.type.bits // 8 if is_block else unit * code.bytes // weight.elements, MOST_BYTES, code.bytes)
    octets = bytes(reader.tensors.bytes(code, 0, count))
    return {
        "elements": code.type.block_elements if is_block else unit,
        "shown": len(values),
        "values": [value if math.isfinite(value) else str(value) for value in values],
        "bytes": octets.hex(),
        "is_whole": is_block and count == code.type.bits // 8,
    }
