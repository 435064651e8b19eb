"""The handful of names that a PyTorch checkpoint may mention, as data: none of them is ever imported or called."""

from types import MappingProxyType

from app.weightfiles.storage_types import BY_FORMAT, StorageType

ORDERED_DICT = "collections.OrderedDict"
SIZE = "torch.Size"
DEVICE = "torch.device"
TENSOR = "torch.Tensor"
PARAMETER = "torch.nn.parameter.Parameter"
REBUILD_TENSOR = "torch._utils._rebuild_tensor"
REBUILD_TENSOR_V2 = "torch._utils._rebuild_tensor_v2"
REBUILD_TENSOR_V3 = "torch._utils._rebuild_tensor_v3"
REBUILD_PARAMETER = "torch._utils._rebuild_parameter"
REBUILD_PARAMETER_WITH_STATE = "torch._utils._rebuild_parameter_with_state"
REBUILD_FROM_TYPE = "torch._tensor._rebuild_from_type_v2"

PLAIN_NAMES = frozenset(
    {
        ORDERED_DICT,
        SIZE,
        DEVICE,
        TENSOR,
        PARAMETER,
        REBUILD_TENSOR,
        REBUILD_TENSOR_V2,
        REBUILD_TENSOR_V3,
        REBUILD_PARAMETER,
        REBUILD_PARAMETER_WITH_STATE,
        REBUILD_FROM_TYPE,
    }
)

UNTYPED_STORAGES = frozenset({"torch.storage.UntypedStorage", "torch.UntypedStorage"})
_STORAGES = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexFloat": "complex64",
}
STORAGES = MappingProxyType({f"torch.{name}Storage": BY_FORMAT[kind] for name, kind in _STORAGES.items()})
"""The element type of each typed storage."""

PACKED_PAIRS = "torch.float4_e2m1fn_x2"
"""The one dtype whose elements hold two numbers."""
_OF_ONE_NUMBER = (
    "float64 float32 float16 bfloat16 float8_e4m3fn float8_e5m2 float8_e4m3fnuz float8_e5m2fnuz float8_e8m0fnu "
    "int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool complex64"
)
DTYPES: MappingProxyType[str, StorageType] = MappingProxyType(
    {f"torch.{name}": BY_FORMAT[name] for name in _OF_ONE_NUMBER.split()} | {PACKED_PAIRS: BY_FORMAT["float4_e2m1fn"]}
)

_QUANTIZED, _SPARSE, _DEVICE = "pytorch.quantized-tensor", "pytorch.sparse-tensor", "pytorch.device-tensor"
SUBCLASS = "pytorch.tensor-subclass"
UNREAD_KINDS = MappingProxyType(
    {
        "torch._utils._rebuild_qtensor": _QUANTIZED,
        "torch._utils._rebuild_sparse_tensor": _SPARSE,
        "torch._utils._rebuild_sparse_csr_tensor": _SPARSE,
        "torch._utils._rebuild_nested_tensor": "pytorch.nested-tensor",
        "torch._utils._rebuild_meta_tensor_no_storage": "pytorch.meta-tensor",
        "torch._utils._rebuild_wrapper_subclass": SUBCLASS,
        "torch._utils._rebuild_device_tensor_from_numpy": _DEVICE,
        "torch._utils._rebuild_device_tensor_from_cpu_tensor": _DEVICE,
        "torch.QInt8Storage": _QUANTIZED,
        "torch.QUInt8Storage": _QUANTIZED,
        "torch.QInt32Storage": _QUANTIZED,
        "torch.QUInt4x2Storage": _QUANTIZED,
        "torch.QUInt2x4Storage": _QUANTIZED,
    }
)
"""Harmless, but of tensors that are not plain runs of numbers: the sentence that says so."""
UNREAD_DTYPES = frozenset({"torch.ComplexDoubleStorage", "torch.complex128", "torch.complex32"})
