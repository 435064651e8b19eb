"""What is around the weights of an ONNX model that is written: the source's own graph, or one that only gives them."""

import json
from collections.abc import Mapping, Sequence

from app import __version__
from app.layouts.onnx_names import CodesTensor, Given
from app.layouts.onnx_needs import LEAST_IR, OWN_IR, OWN_OPSET, ir_version
from app.layouts.tied_weights import TIED_KEY
from app.weightfiles.file_layout import StoredTensor
from app.weightfiles.onnx_graph import OnnxModel
from app.weightfiles.onnx_layout import ModelFrame
from app.weightfiles.onnx_messages import MICROSOFT, node, operator_set, pair, value_info
from app.weightfiles.protobuf_writing import bytes_field, number_field, text_field

_IR_VERSION, _PRODUCER, _PRODUCER_VERSION, _OPSET, _PROPERTIES = 1, 2, 3, 8, 14
_NODE, _GRAPH_NAME, _OUTPUT = 1, 2, 12


def givens_of(stored: Sequence[StoredTensor]) -> list[Given]:
    """The weights that nodes give."""
    return [each.given for each in stored if isinstance(each, CodesTensor)]


def model_frame(model: OnnxModel, stored: Sequence[StoredTensor]) -> ModelFrame:
    """The source's model: new nodes first, then all that it has, byte for byte but what those nodes replace."""
    givens = givens_of(stored)
    version = max(model.ir_version, LEAST_IR, *(each.ir_version for each in givens))
    opsets = model.opset_fields
    if MICROSOFT not in model.opsets and any(each.domain == MICROSOFT for each in givens):
        opsets += bytes_field(_OPSET, operator_set(MICROSOFT, 1))
    replaced = {index: content for each in givens for index, content in each.replaced.items()}
    graph = _nodes(givens) + model.frame({each.name for each in givens}, replaced)
    return ModelFrame(number_field(_IR_VERSION, version) + opsets + model.other_fields, graph)


def weights_frame(stored: Sequence[StoredTensor], metadata: Mapping[str, str]) -> ModelFrame:
    """A model without inputs whose outputs are the weights, each under its own name."""
    givens = givens_of(stored)
    parts = {name for each in givens for name in each.parts}
    values = {each.name: (each.format, each.shape) for each in givens}
    values |= {each.name: (each.format, each.shape) for each in stored if each.name not in parts}
    tied: Mapping[str, str] = json.loads(metadata.get(TIED_KEY, "{}"))
    copies = b"".join(bytes_field(_NODE, node("Identity", [kept], dropped)) for dropped, kept in tied.items())
    values |= {dropped: values[kept] for dropped, kept in tied.items()}
    opset = max([OWN_OPSET, *(each.opset for each in givens)])
    model = [
        number_field(_IR_VERSION, max([OWN_IR, *(ir_version(each.format) for each in stored)])),
        bytes_field(_OPSET, operator_set("", opset)),
        text_field(_PRODUCER, "bitlens"),
        text_field(_PRODUCER_VERSION, __version__),
        *(bytes_field(_PROPERTIES, pair(key, text)) for key, text in sorted(metadata.items())),
    ]
    outputs = [bytes_field(_OUTPUT, value_info(name, *value)) for name, value in values.items()]
    graph = _nodes(givens) + copies + text_field(_GRAPH_NAME, "weights") + b"".join(outputs)
    return ModelFrame(b"".join(model), graph)


def _nodes(givens: Sequence[Given]) -> bytes:
    return b"".join(bytes_field(_NODE, each.node) for each in givens if each.node)
