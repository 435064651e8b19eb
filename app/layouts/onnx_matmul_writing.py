"""ONNX models for onnxruntime: products with a weight become MatMulNBits, by codes of 2, 4 or 8 bits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.codec import torch_dtype
from app.errors import InvalidInput, WeightFileError
from app.formats import find_format
from app.layouts.onnx_coders import MatrixCoder, PackedRowWrites, UnsignedZeroPoints
from app.layouts.onnx_names import SCALE, ZERO_POINT, CodesTensor, Given
from app.layouts.onnx_needs import LEAST_IR
from app.layouts.onnx_shapes import MOST_TURNED_COLUMNS, bits_of, onnx_type
from app.layouts.onnx_writing import QUANTIZED_REASON, OnnxSession
from app.layouts.scheme_coder import SchemeCoder, Slots
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Obstacle, OutputLayout, Write
from app.schemes.affine import AffineScheme
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme
from app.schemes.partitions import Granularity
from app.schemes.selection import Kept
from app.weightfiles.file_layout import StoredTensor
from app.weightfiles.onnx_messages import MICROSOFT, node

LAYOUT = "onnx-matmulnbits"
PRODUCT_REASON = "onnx-product"
"""The weight is not the second factor of MatMul alone."""
_SCHEMES = ("int2", "int4", "int8")
_GROUP = "group=128"
_LEAST_GROUP = 16
_FLOATS = ("float32", "float16")


def _takes(entry: SchemeEntry) -> bool:
    return entry.name in _SCHEMES


@dataclass(frozen=True, slots=True)
class MatMulSession(OnnxSession):
    """One output in this layout."""

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`.

        Raises:
            WeightFileError: `onnx.no-products`, the source has no graph.
        """
        if self.uses is None:
            raise WeightFileError("onnx.no-products")
        scheme = self.scheme(weight, chosen, granularity=_GROUP)
        group = scheme.partition.columns
        is_group = scheme.partition.granularity is Granularity.GROUP
        if not is_group or group < _LEAST_GROUP or group & (group - 1):
            figures = {"scheme": scheme.name, "granularity": str(scheme.partition)}
            raise InvalidInput("layout.granularity", layout=LAYOUT, **figures)
        if weight.encoding is not None:
            return Obstacle(QUANTIZED_REASON)
        products = self.uses.matmuls(weight.name)
        if len(weight.shape) != 2 or not products or weight.format not in _FLOATS:
            return Obstacle(PRODUCT_REASON)
        columns, _ = weight.shape
        if columns % group:
            return Obstacle(Kept.ROW_LENGTH, {"columns": columns, "size": group})
        if columns > MOST_TURNED_COLUMNS:
            return Obstacle(Kept.LONG_ROWS, {"columns": columns})
        return self._product(weight, scheme, chosen, products)

    def _product(
        self, weight: Weight, scheme: GridScheme | AffineScheme, chosen: ChosenScheme, products: tuple[int, ...]
    ) -> Coder:
        (columns, rows), bits, group = weight.shape, bits_of(scheme), scheme.partition.columns
        blocks = columns // group
        if isinstance(scheme, GridScheme):
            scheme = replace(scheme, code_offset=1 << (bits - 1))
        else:
            scheme = replace(scheme, offset_layout=UnsignedZeroPoints(bits))
        ends = [f"_Q{bits}G{group}", SCALE, *([ZERO_POINT] if isinstance(scheme, AffineScheme) else [])]
        names = tuple(self.names.name(weight.name + end) for end in ends)
        attributes = {"K": columns, "N": rows, "bits": bits, "block_size": group}
        given = Given(
            weight.name,
            weight.format,
            weight.shape,
            b"",
            names,
            LEAST_IR,
            domain=MICROSOFT,
            replaced=self._replaced(products, names, attributes),
        )
        row_bytes = -(-blocks * bits // 8)
        slots = Slots(
            CodesTensor(names[0], onnx_type("uint8"), (rows, blocks, group * bits // 8), given),
            StoredTensor(names[1], onnx_type(weight.format), (rows, blocks)),
            StoredTensor(names[2], onnx_type("uint8"), (rows, row_bytes)) if len(names) > 2 else None,
        )
        text = f"MatMulNBits {scheme.name}, groups of {group}, {weight.format} scales"
        dtype = torch_dtype(find_format(weight.format))
        coder = SchemeCoder(weight, scheme, chosen.choices, slots, text, dtype)
        zero_points = names[2] if len(names) > 2 else ""

        def packed(write: Write) -> Write:
            return PackedRowWrites(write, zero_points, bits, blocks)

        return MatrixCoder(coder, lambda numbers: numbers.turned(), packed)

    def _replaced(
        self, products: tuple[int, ...], names: tuple[str, ...], attributes: Mapping[str, int]
    ) -> dict[int, bytes]:
        """The nodes that multiply by the weight, as they become."""
        assert self.uses is not None
        found = {}
        for index in products:
            old = self.uses.nodes[index]
            inputs = (old.inputs[0], *names)
            found[index] = node(
                "MatMulNBits", inputs, old.outputs[0], attributes, domain=MICROSOFT, name=old.name or old.outputs[0]
            )
        return found


ONNX_MATMUL = OutputLayout(LAYOUT, ".onnx", "model.onnx", _takes, MatMulSession.begin, may_be_sharded=False)
"""Models for onnxruntime alone, whose products read codes as they are."""
