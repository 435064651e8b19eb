"""torchao's layout: int8, FP8 and MX tensors whose kind and attributes stand in the file's metadata."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from app.codec import torch_dtype
from app.errors import InvalidInput
from app.formats import find_format
from app.layouts.loader_limits import loader_obstacle
from app.layouts.plain_writing import CONFIG_KEY, SafetensorsSession, modules_left_alone
from app.layouts.scheme_coder import SchemeCoder, Slots, fits_memory
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, Obstacle, OutputLayout, Planned
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme, byte_packing
from app.schemes.partitions import Granularity, Partition
from app.schemes.selection import Kept
from app.weightfiles.file_layout import StoredTensor

LAYOUT = "torchao"
_WEIGHT = ".weight"
_FLOATS = ("float32", "float16", "bfloat16")
_ELEMENTS = {"int8": "int8", "fp8": "float8_e4m3fn", "mxfp8": "float8_e4m3fn", "mxfp4": "uint8"}
_KNOWN = {
    "int8": (Granularity.CHANNEL, Granularity.TENSOR, Granularity.GROUP),
    "fp8": (Granularity.CHANNEL, Granularity.TENSOR, Granularity.BLOCK),
}


def _takes(entry: SchemeEntry) -> bool:
    return entry.name in _ELEMENTS


@dataclass(frozen=True, slots=True)
class TorchaoSession(SafetensorsSession):
    """One output in this layout."""

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        scheme = chosen.scheme(scale_format="float32")
        if not isinstance(scheme, GridScheme):
            raise InvalidInput("layout.option", layout=LAYOUT, option="asymmetric")
        partition = scheme.partition
        if partition.granularity not in _KNOWN.get(scheme.name, (Granularity.GROUP,)):
            raise InvalidInput("layout.granularity", layout=LAYOUT, scheme=scheme.name, granularity=str(partition))
        if len(weight.shape) != 2 or not weight.name.endswith(_WEIGHT) or weight.format not in _FLOATS:
            return Obstacle(Kept.LAYOUT)
        obstacle = loader_obstacle(weight, self.model_type, takes_experts=False)
        if obstacle is not None:
            return obstacle
        rows, columns = weight.shape
        height, width = _block(partition, (rows, columns))
        if columns % width:
            return Obstacle(Kept.ROW_LENGTH, {"columns": columns, "size": width})
        if rows % height:
            return Obstacle(Kept.ROW_LENGTH, {"columns": rows, "size": height})
        if not fits_memory(scheme, columns):
            return Obstacle(Kept.LONG_ROWS, {"columns": columns})
        if scheme.name == "int8":
            scheme = replace(scheme, packing=byte_packing(), code_offset=0)
        return _coder(weight, scheme, chosen)

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`."""
        coders = [(each.weight, each.coder) for each in planned if each.chosen is not None]
        if not coders:
            return SafetensorsSession.describe(self, planned)
        schemes = [coder.scheme for _, coder in coders if isinstance(coder, SchemeCoder)]
        if len({(scheme.name, str(scheme.partition)) for scheme in schemes}) > 1:
            raise InvalidInput("layout.one-scheme", layout=LAYOUT)
        metadata = {each.weight.name: json.dumps({"_type": "Tensor"}) for each in planned if each.chosen is None}
        for weight, coder in coders:
            assert isinstance(coder, SchemeCoder)
            metadata[weight.name] = json.dumps(_attributes(weight, coder))
        metadata["tensor_names"] = json.dumps(list(metadata))
        first = schemes[0]
        assert isinstance(first, GridScheme)
        config = {
            "quant_method": "torchao",
            "quant_type": {"default": _config(first)},
            "modules_to_not_convert": modules_left_alone(planned),
            "include_input_output_embeddings": False,
            "untie_embedding_weights": False,
        }
        return Description({**self.metadata, **metadata}, {CONFIG_KEY: config})


def _block(partition: Partition, shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of what shares a scale."""
    match partition.granularity:
        case Granularity.TENSOR:
            return shape
        case Granularity.CHANNEL:
            return 1, shape[1]
        case Granularity.BLOCK:
            return partition.rows, partition.columns
        case _:
            return 1, partition.columns


def _coder(weight: Weight, scheme: GridScheme, chosen: ChosenScheme) -> SchemeCoder:
    shape = (weight.shape[0], weight.shape[1])
    scales = scheme.partition.scale_shape(shape)
    prefix = f"{weight.name.removesuffix(_WEIGHT)}._weight_"
    is_mx = scheme.name.startswith("mx")
    # MX tensors of four bits keep two codes in a byte, the first in the low half.
    codes = (shape[0], scheme.packing.row_bits(shape[1]) // 8)
    fixed: tuple[tuple[StoredTensor, torch.Tensor], ...] = ()
    if scheme.name == "int8":
        zeros = StoredTensor.of(f"{prefix}zero_point", "int8", scales)
        fixed = ((zeros, torch.zeros(scales, dtype=torch.int8)),)
    slots = Slots(
        StoredTensor.of(f"{prefix}qdata", _ELEMENTS[scheme.name], codes),
        StoredTensor.of(f"{prefix}scale", "float8_e8m0fnu" if is_mx else "float32", scales),
        fixed=fixed,
    )
    dtype = torch_dtype(find_format(weight.format))
    text = f"torchao {scheme.name}, {'float8_e8m0fnu' if is_mx else 'float32'} scales"
    return SchemeCoder(weight, scheme, chosen.choices, slots, text, read_dtype=dtype)


def _attributes(weight: Weight, coder: SchemeCoder) -> Mapping[str, Any]:
    """What torchao's own `flatten_tensor_state_dict` writes of such a tensor."""
    scheme = coder.scheme
    block = list(_block(scheme.partition, (weight.shape[0], weight.shape[1])))
    data: dict[str, Any]
    if scheme.name.startswith("mx"):
        element = "float4_e2m1fn_x2" if scheme.name == "mxfp4" else "float8_e4m3fn"
        same = {
            "elem_dtype": _dtype(element),
            "block_size": block[1],
            "kernel_preference": {"_type": "KernelPreference", "_data": "EMULATED"},
            "is_swizzled_scales": False,
        }
        # torchao multiplies by MX weights only what it has rounded to MX itself.
        inputs = {**same, "scaling_mode": {"_type": "ScaleCalculationMode", "_data": "RCEIL"}}
        data = {
            **same,
            "orig_dtype": _dtype(weight.format),
            "act_quant_kwargs": {"_type": "QuantizeTensorToMXKwargs", "_data": inputs},
        }
        return {"_type": "MXTensor", "_data": data, "_tensor_data_names": ["qdata", "scale"]}
    data = {"act_quant_kwargs": None, "block_size": block, "dtype": _dtype(weight.format)}
    if scheme.name == "int8":
        data |= {"reduce_range": False}
        return {"_type": "Int8Tensor", "_data": data, "_tensor_data_names": ["zero_point", "qdata", "scale"]}
    data |= {"mm_config": None, "kernel_preference": {"_type": "KernelPreference", "_data": "AUTO"}}
    return {"_type": "Float8Tensor", "_data": data, "_tensor_data_names": ["qdata", "scale"]}


def _dtype(name: str) -> Mapping[str, str]:
    return {"_type": "torch.dtype", "_data": name}


def _config(scheme: GridScheme) -> Mapping[str, Any]:
    """The config that tells torchao's loader what kind of tensors to expect."""
    partition = scheme.partition
    if partition.granularity is Granularity.BLOCK:
        return _block_config(partition)
    if scheme.name.startswith("mx"):
        element = _dtype("float4_e2m1fn_x2" if scheme.name == "mxfp4" else "float8_e4m3fn")
        data: dict[str, Any] = {
            "block_size": 32,
            "activation_dtype": element,
            "weight_dtype": element,
            "kernel_preference": {"_type": "KernelPreference", "_data": "EMULATED"},
            "scaling_mode": {"_type": "ScaleCalculationMode", "_data": "RCEIL"},
        }
        return {"_type": "MXDynamicActivationMXWeightConfig", "_version": 1, "_data": data}
    kinds: dict[Granularity, tuple[str, dict[str, Any]]] = {
        Granularity.CHANNEL: ("PerRow", {"dim": -1}),
        Granularity.TENSOR: ("PerTensor", {}),
        Granularity.GROUP: ("PerGroup", {"group_size": partition.columns}),
    }
    kind, sizes = kinds[partition.granularity]
    data = {"granularity": {"_type": kind, "_version": 1, "_data": sizes}, "set_inductor_config": True}
    if scheme.name == "int8":
        return {"_type": "Int8WeightOnlyConfig", "_version": 2, "_data": {"group_size": None, **data}}
    return {
        "_type": "Float8WeightOnlyConfig",
        "_version": 2,
        "_data": {"weight_dtype": _dtype("float8_e4m3fn"), **data},
    }


def _block_config(partition: Partition) -> Mapping[str, Any]:
    """Blocks of FP8: `Float8WeightOnlyConfig` knows none, and the tensors themselves say what is rounded."""
    sizes = [[1, partition.columns], [partition.rows, partition.columns]]
    granularity = [{"_type": "PerBlock", "_version": 1, "_data": {"block_size": size}} for size in sizes]
    return {
        "_type": "Float8DynamicActivationFloat8WeightConfig",
        "_version": 2,
        "_data": {
            "activation_dtype": _dtype("float8_e4m3fn"),
            "weight_dtype": _dtype("float8_e4m3fn"),
            "granularity": granularity,
            "set_inductor_config": True,
        },
    }


TORCHAO = OutputLayout(LAYOUT, ".safetensors", "model.safetensors", _takes, TorchaoSession.begin)
"""Weights for torchao and transformers."""
