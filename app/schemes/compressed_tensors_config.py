"""The quantization config that loaders of the compressed-tensors layout read."""

from collections.abc import Sequence
from typing import Any

LAYOUT_VERSION = "0.20.0"
"""The release of the compressed-tensors package whose layout is written."""

CONFIG_KEY = "quantization_config"


def int8_config(*, granularity: str, ignore: Sequence[str], has_embeddings: bool) -> dict[str, Any]:
    """Weight-only int8: packed words, symmetric. `ignore` names the modules whose weights were kept."""
    weights = {
        "num_bits": 8,
        "type": "int",
        "strategy": granularity,
        "group_size": None,
        "symmetric": True,
        "dynamic": False,
    }
    group = {
        "targets": ["Linear", "Embedding"] if has_embeddings else ["Linear"],
        "format": "pack-quantized",
        "weights": weights,
        "input_activations": None,
        "output_activations": None,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "quantization_status": "compressed",
        "config_groups": {"group_0": group},
        "ignore": list(ignore),
        "kv_cache_scheme": None,
        "global_compression_ratio": None,
        "version": LAYOUT_VERSION,
    }
