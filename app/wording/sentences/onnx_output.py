"""What is said about ONNX models that are written."""

SENTENCES: dict[str, str] = {
    "kept.onnx-opset": "the model’s operator set {opset} cannot restore it: this needs {needed}",
    "kept.onnx-product": "no MatMul alone multiplies by it",
    "kept.onnx-quantized": "the model has it quantized already",
    "kept.onnx-type": "ONNX restores no {format} from codes",
    "onnx.frame-too-large": (
        "Beside its weights the model takes more than {limit} bytes, too much to be copied. It may have weights as "
        "constant nodes: export it with initializers."
    ),
    "onnx.no-products": (
        "MatMulNBits takes the place of products in a model’s graph, and only an ONNX model has one. Give an ONNX "
        "model, or choose the layout onnx."
    ),
    "onnx.several-models": (
        "There is more than one ONNX model, and only one graph can be written. Give one of the files."
    ),
    "onnx.too-large-to-write": (
        "The model would take {bytes} bytes, and one ONNX file holds at most {limit}. Choose a scheme of fewer bits or "
        "another layout."
    ),
    "onnx.too-many-to-write": "There would be {tensors} tensors, and at most {limit} are written to an ONNX file.",
    "onnx.written-twice": "Two tensors would be called “{tensor}” in the ONNX file. Rename one in the source.",
    "remark.onnx-microsoft": (
        "The model uses operators of onnxruntime’s own (com.microsoft): other runtimes may not run it."
    ),
}
