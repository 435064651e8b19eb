"""What an ONNX model may be refused for."""

SENTENCES: dict[str, str] = {
    "onnx.cut": (
        "The ONNX file is incomplete: the field at byte {position} goes on for {missing} bytes after the end of "
        "what holds it. Download it again."
    ),
    "onnx.depth": "The model’s messages are nested more than {limit} deep. No model needs that.",
    "onnx.external-key": (
        "Tensor “{tensor}” says where its data lies with the word “{key}”, which is unknown, or given twice. Save "
        "the model again with onnx.save."
    ),
    "onnx.external-missing": (
        "The model keeps tensors in the file “{name}”, which did not come with it. Put both into one folder and "
        "open that, or upload them as one zip."
    ),
    "onnx.external-number": (
        "The {key} of the data of tensor “{tensor}” is “{text}”, which is not a plain whole number. Save the model "
        "again with onnx.save."
    ),
    "onnx.external-overlap": (
        "Tensors “{tensor}” and “{other}” share bytes of the same file. Save the model again with onnx.save."
    ),
    "onnx.external-path": (
        "Tensor “{tensor}” lies in “{location}”, which is no plain file name. Only files beside the model are "
        "read: save it again with its data in one file beside it."
    ),
    "onnx.external-short": (
        "The model needs {needed} bytes of “{name}”, which has only {bytes}. Download that file again."
    ),
    "onnx.field-twice": (
        "Field {field} of the message at byte {position} is there twice. Readers would disagree about which one counts."
    ),
    "onnx.location": "Tensor “{tensor}” names an unknown kind of place for its data ({location}).",
    "onnx.no-graph": "The file begins like an ONNX model but holds no graph. Export the model again.",
    "onnx.no-name": "The tensor at byte {position} has no name. Export the model again.",
    "onnx.no-tensors": (
        "The model’s graph has no initializers, so there are no weights to show. Export it with its weights "
        "inside, not as constant nodes or inputs."
    ),
    "onnx.not-packed": (
        "The numbers of tensor “{tensor}” are stored one by one. Save the model again with onnx.save, which packs them."
    ),
    "onnx.segment": (
        "Tensor “{tensor}” is only a segment of one, which is not read. Save the model again with onnx.save."
    ),
    "onnx.size-mismatch": "Tensor “{tensor}” needs {needed} bytes by its shape, but {given} are given.",
    "onnx.sparse": "The model holds sparse tensors, which are not read. Export it with dense weights.",
    "onnx.tensor-twice": "The model has two tensors named “{tensor}”. Readers would disagree about which one counts.",
    "onnx.text-too-long": "The text at byte {position} has {bytes} bytes; at most {limit} are accepted there.",
    "onnx.too-many-fields": (
        "The model consists of more than {limit} fields, too many to check. Simplify the graph, or use the model’s "
        "safetensors file."
    ),
    "onnx.too-many-properties": (
        "The model has more than {limit} entries in “{name}”, which is the most that are accepted."
    ),
    "onnx.too-many-tensors": "The model lists more than {limit} tensors, which is the most that are accepted.",
    "onnx.too-many-varints": (
        "The numbers of tensor “{tensor}” are stored in a form that takes too long to read. Save the model again "
        "with its numbers as raw data, as onnx.numpy_helper.from_array makes them."
    ),
    "onnx.two-contents": (
        "The numbers of tensor “{tensor}” are said to be in two places. Readers would disagree about which one counts."
    ),
    "onnx.unknown-type": "Tensor “{tensor}” has the element type {type}, which ONNX does not define.",
    "onnx.utf8": "The text at byte {position} is not valid UTF-8. The file is damaged.",
    "onnx.varint": "There is no whole number at byte {position}, where one must be. The file is damaged.",
    "onnx.varint-count": "Tensor “{tensor}” does not hold the {needed} numbers that its shape needs.",
    "onnx.wire-type": "The bytes at {position} are no field of an ONNX model. The file is damaged.",
    "onnx.wrong-field": "The numbers of tensor “{tensor}” are not stored where those of the type {type} belong.",
}
