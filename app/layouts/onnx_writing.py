"""ONNX models: weights as codes that DequantizeLinear restores, in the model's own graph or in one without inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.codec import torch_dtype
from app.errors import InvalidInput, WeightFileError
from app.formats import FloatFormat, find_format
from app.layouts.gguf_coders import BytesCoder
from app.layouts.onnx_coders import MatrixCoder, PackedWrites, TurnedDequantizer, UnsignedZeroPoints, WidenedCast
from app.layouts.onnx_frame import givens_of, model_frame, weights_frame
from app.layouts.onnx_names import QUANTIZED, SCALE, ZERO_POINT, CodesTensor, FreeNames, Given
from app.layouts.onnx_needs import Needs, cast_needs, dequantizing_needs, ir_version
from app.layouts.onnx_shapes import bits_of, codes_format, obstacle_of, onnx_type, scale_shape
from app.layouts.onnx_uses import Uses
from app.layouts.plain_writing import CastCoder, plain_keeper
from app.layouts.rectangles import matrix_of
from app.layouts.scheme_coder import SchemeCoder, Slots
from app.layouts.weights import Weight
from app.layouts.writing import ChosenScheme, Coder, Description, Obstacle, OutputLayout, Planned, Write
from app.schemes.affine import AffineScheme
from app.schemes.entries import SchemeEntry
from app.schemes.grid_scheme import GridScheme, byte_packing, dense_packing
from app.schemes.partitions import Granularity
from app.schemes.selection import Kept
from app.weightfiles import onnx_layout
from app.weightfiles.byte_ranges import read_start
from app.weightfiles.content_kind import SNIFFED_BYTES
from app.weightfiles.file_layout import FileLayout, StoredTensor
from app.weightfiles.onnx_graph import OnnxModel, read_model
from app.weightfiles.onnx_header import looks_like_onnx
from app.weightfiles.onnx_messages import MICROSOFT, TYPE_NUMBERS, node
from app.weightfiles.range_reader import WeightFile

LAYOUT = "onnx"
QUANTIZED_REASON = "onnx-quantized"
REMARK_MICROSOFT = "remark.onnx-microsoft"
_INTEGERS = ("int2", "int4", "int8")
_CASTS = ("float16", "bfloat16", "float8_e4m3fn", "float8_e5m2")
_GRANULARITIES = (Granularity.TENSOR, Granularity.CHANNEL, Granularity.GROUP)
_ATTRIBUTES = {Granularity.TENSOR: (), Granularity.CHANNEL: ("axis",), Granularity.GROUP: ("axis", "block_size")}


def _takes(entry: SchemeEntry) -> bool:
    return entry.name in (*_INTEGERS, "fp8") or (entry.family == "cast" and entry.element in _CASTS)


@dataclass(frozen=True, slots=True)
class OnnxSession:
    """One output in this layout. With `uses` the source is a model whose graph is kept."""

    names: FreeNames
    uses: Uses | None = None

    @classmethod
    def begin(cls, file: WeightFile, weights: Sequence[Weight]) -> "OnnxSession":
        """Starts an output.

        Raises:
            WeightFileError: `onnx.frame-too-large`, `onnx.several-models`.
        """
        stored = {each.name for each in file.header.tensors} | {weight.name for weight in weights}
        if file.header.kind != "onnx":
            return cls(FreeNames(stored))
        first, *others = file.source.parts
        if any(looks_like_onnx(read_start(part, SNIFFED_BYTES)) for part in others):
            raise WeightFileError("onnx.several-models")
        uses = Uses(read_model(first))
        return cls(FreeNames({*stored, *uses.names()}, uses.is_inside), uses)

    @property
    def model(self) -> OnnxModel | None:
        """The source, if it is a model."""
        return None if self.uses is None else self.uses.model

    @property
    def opset(self) -> int | None:
        """Of the source."""
        return None if self.model is None else self.model.opsets.get("", self.model.opsets.get("ai.onnx", 1))

    def coder(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        """See `LayoutSession`."""
        if self.model is not None and weight.encoding is not None:
            return Obstacle(QUANTIZED_REASON)
        if chosen.entry.family == "cast":
            return self._cast(weight, chosen)
        scheme = self.scheme(weight, chosen)
        if scheme.partition.granularity not in _GRANULARITIES:
            figures = {"scheme": scheme.name, "granularity": str(scheme.partition)}
            raise InvalidInput("layout.granularity", layout=LAYOUT, **figures)
        needs = dequantizing_needs(
            codes_format(scheme), scheme.partition.granularity, scheme.scale_format.name, self.opset
        )
        if isinstance(needs, Obstacle):
            return needs
        return self._dequantized(weight, scheme, chosen, needs)

    def keeper(self, weight: Weight) -> Coder:
        """See `LayoutSession`: a model's tensors as they are, quantized ones with their scales."""
        return plain_keeper(weight) if self.model is None else BytesCoder(weight)

    def describe(self, planned: Sequence[Planned]) -> Description:
        """See `LayoutSession`."""
        givens = givens_of([stored for each in planned for stored in each.coder.stored])
        has_microsoft = any(each.domain == MICROSOFT for each in givens)
        return Description(remarks=(REMARK_MICROSOFT,) if has_microsoft else ())

    def lay_out(self, stored: Sequence[StoredTensor], description: Description) -> FileLayout:
        """See `LayoutSession`."""
        if self.model is not None:
            return onnx_layout.lay_out(stored, model_frame(self.model, stored))
        metadata = {key: str(value) for key, value in description.metadata.items()}
        return onnx_layout.lay_out(stored, weights_frame(stored, metadata))

    def scheme(self, weight: Weight, chosen: ChosenScheme, **defaults: str) -> GridScheme | AffineScheme:
        """The scheme with scales that make the weight's own type, and codes as ONNX has them.

        Raises:
            InvalidInput: `layout.option`.
        """
        own = "float16" if weight.format == "float16" else "float32"
        if self.model is not None:
            own = weight.format if weight.format in {"float16", "bfloat16"} else own
            if chosen.options.scale_format not in {None, own}:
                option = f"scales={chosen.options.scale_format}"
                raise InvalidInput("layout.option", layout=LAYOUT, option=option)
        if chosen.options.zero_point == "float":
            raise InvalidInput("layout.option", layout=LAYOUT, option="zero=float")
        scheme = chosen.scheme(scale_format=own, **defaults)
        assert isinstance(scheme, GridScheme | AffineScheme)
        bits = bits_of(scheme)
        packing = byte_packing() if bits == 8 else dense_packing(bits, 1)
        if isinstance(scheme, AffineScheme):
            return replace(scheme, packing=packing, offset_layout=UnsignedZeroPoints(bits))
        return replace(scheme, packing=packing, code_offset=0)

    def _cast(self, weight: Weight, chosen: ChosenScheme) -> Coder | Obstacle:
        if chosen.choices.seed is not None:
            raise InvalidInput("layout.option", layout=LAYOUT, option="stochastic")
        target = find_format(chosen.entry.element)
        assert isinstance(target, FloatFormat)
        if self.model is None:
            return CastCoder(weight, target)
        needs = cast_needs(target.name, self.opset)
        if isinstance(needs, Obstacle):
            return needs
        name = self.names.name(f"{weight.name}_{target.name}")
        cast = node("Cast", [name], weight.name, {"to": TYPE_NUMBERS[weight.format]})
        given = Given(weight.name, weight.format, weight.shape, cast, (name,), ir_version(target.name))
        return WidenedCast(weight, target, CodesTensor(name, onnx_type(target.name), weight.shape, given))

    def _dequantized(
        self, weight: Weight, scheme: GridScheme | AffineScheme, chosen: ChosenScheme, needs: Needs
    ) -> Coder | Obstacle:
        if self.model is not None and weight.format == "float64":
            return Obstacle("onnx-type", {"format": weight.format})
        granularity, bits = scheme.partition.granularity, bits_of(scheme)
        if granularity is Granularity.CHANNEL and len(weight.shape) < 2:
            return Obstacle(Kept.ONE_DIMENSIONAL)
        is_turned = self._is_turned(weight, granularity)
        matrix = matrix_of(weight.shape)
        if granularity is Granularity.CHANNEL:
            matrix = weight.shape[0], matrix[0] * matrix[1] // max(weight.shape[0], 1)
        if is_turned:
            matrix = matrix[1], matrix[0]
        obstacle = obstacle_of(scheme, matrix, is_turned=is_turned)
        if obstacle is not None:
            return obstacle
        axis = (0 if is_turned else len(weight.shape) - 1) if granularity is Granularity.GROUP else int(is_turned)
        slots = self._slots(weight, scheme, needs, axis)
        along = "" if granularity is Granularity.TENSOR else f" along axis {axis}"
        text = f"onnx {slots.codes.format} {scheme.partition}{along}, {scheme.scale_format.name} scales"
        dtype = torch_dtype(find_format(scheme.scale_format.name))
        coder = SchemeCoder(weight, scheme, chosen.choices, slots, text, dtype)
        if is_turned:
            return TurnedDequantizer(coder)
        zero_points = "" if slots.zero_points is None else slots.zero_points.name

        def packed(write: Write) -> Write:
            return PackedWrites(write, zero_points, bits)

        return MatrixCoder(coder, lambda numbers: numbers.reshaped(matrix), packed)

    def _is_turned(self, weight: Weight, granularity: Granularity) -> bool:
        """Whether the model sums over the weight's rows, so that what shares a scale lies down its columns."""
        if self.uses is None or granularity is Granularity.TENSOR or len(weight.shape) != 2:
            return False
        return self.uses.is_column_wise(weight.name)

    def _slots(self, weight: Weight, scheme: GridScheme | AffineScheme, needs: Needs, axis: int) -> Slots:
        codes, scale, zeros = (self.names.name(weight.name + end) for end in (QUANTIZED, SCALE, ZERO_POINT))
        kind, granularity = codes_format(scheme), scheme.partition.granularity
        inputs = (codes, scale, zeros) if isinstance(scheme, AffineScheme) else (codes, scale)
        values = {"axis": axis, "block_size": scheme.partition.columns}
        attributes = {name: values[name] for name in _ATTRIBUTES[granularity]}
        restoring = node("DequantizeLinear", inputs, weight.name, attributes, domain=needs.domain)
        scale_type = scheme.scale_format.name
        needed = ir_version(kind), needs.opset, needs.domain
        given = Given(weight.name, scale_type, weight.shape, restoring, inputs, *needed)
        shape = scale_shape(weight.shape, scheme, axis)
        return Slots(
            CodesTensor(codes, onnx_type(kind), weight.shape, given),
            StoredTensor(scale, onnx_type(scale_type), shape),
            StoredTensor(zeros, onnx_type(kind), shape) if len(inputs) == 3 else None,
        )


ONNX = OutputLayout(LAYOUT, ".onnx", "model.onnx", _takes, OnnxSession.begin, may_be_sharded=False)
"""Models for onnxruntime and others, by ONNX's own operators."""
