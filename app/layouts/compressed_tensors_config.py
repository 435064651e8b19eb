"""The quantization config that loaders of the compressed-tensors layout read."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LAYOUT_VERSION = "0.20.0"
"""The release of the compressed-tensors package whose layout is written."""
MIXED = "mixed-precision"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class WeightArguments:
    """How the weights of a group are stored: what the config says of them."""

    format: str
    """`pack-quantized`, `naive-quantized`, `nvfp4-pack-quantized` and so on."""
    bits: int
    type: str
    """`int` or `float`."""
    strategy: str
    """`tensor`, `channel`, `group`, `block` or `tensor_group`."""
    group_size: int | None = None
    block_structure: tuple[int, int] | None = None
    symmetric: bool = True
    scale_dtype: str | None = None
    """`torch.uint8`; None where scales have the dtype of the model."""

    def to_json(self) -> dict[str, Any]:
        """The config's `weights`."""
        found: dict[str, Any] = {
            "num_bits": self.bits,
            "type": self.type,
            "strategy": self.strategy,
            "group_size": self.group_size,
            "symmetric": self.symmetric,
            "dynamic": False,
        }
        if self.block_structure is not None:
            found["block_structure"] = list(self.block_structure)
        if self.scale_dtype is not None:
            found["scale_dtype"] = self.scale_dtype
        return found


def quantization_config(
    groups: Mapping[WeightArguments, Sequence[str]], kept: Sequence[str], *, has_embeddings: bool
) -> dict[str, Any]:
    """The config for modules (by name) that are stored in these ways, and for those whose weights were kept.

    One way for all needs no names: it goes for every linear module that is not kept. Several have patterns.
    """
    # A head that shares its weights with the embedding is in no file, but it is a module all the same.
    ignored = sorted({"lm_head", *kept} - {name for names in groups.values() for name in names})
    if len(groups) == 1:
        everything = ["Linear", "Embedding"] if has_embeddings else ["Linear"]
        targets = dict.fromkeys(groups, everything)
    else:
        targets = _patterns(groups, kept)
    formats = {arguments.format for arguments in groups}
    return {
        "quant_method": "compressed-tensors",
        "format": formats.pop() if len(formats) == 1 else MIXED,
        "quantization_status": "compressed",
        "config_groups": {
            f"group_{index}": _group(arguments, targets[arguments]) for index, arguments in enumerate(groups)
        },
        "ignore": ignored,
        "kv_cache_scheme": None,
        "global_compression_ratio": None,
        "version": LAYOUT_VERSION,
    }


def _group(arguments: WeightArguments, targets: Sequence[str]) -> dict[str, Any]:
    return {
        "targets": list(targets),
        "format": arguments.format,
        "weights": arguments.to_json(),
        "input_activations": None,
        "output_activations": None,
    }


def _patterns(groups: Mapping[WeightArguments, Sequence[str]], kept: Iterable[str]) -> dict[WeightArguments, list[str]]:
    """Regular expressions of module names, numbers left open where all modules of the kind are in one group."""
    owners: dict[str, set[WeightArguments | None]] = {}
    for arguments, names in groups.items():
        for name in names:
            owners.setdefault(_kind(name), set()).add(arguments)
    for name in kept:
        owners.setdefault(_kind(name), set()).add(None)
    found: dict[WeightArguments, list[str]] = {}
    for arguments, names in groups.items():
        parts = {_kind(name) if len(owners[_kind(name)]) == 1 else re.escape(name) for name in names}
        # A loader may put the model's own name before that of the file.
        found[arguments] = [rf"re:(.*\.)?{part}$" for part in sorted(parts)]
    return found


def _kind(name: str) -> str:
    return r"\d+".join(re.escape(part) for part in _NUMBER.split(name))
