"""The table of layouts that can be written."""

from app.errors import InvalidInput
from app.layouts.awq_writing import AWQ
from app.layouts.bitsandbytes_writing import BITSANDBYTES
from app.layouts.compressed_tensors_writing import COMPRESSED_TENSORS
from app.layouts.gguf_writing import GGUF
from app.layouts.gptq_writing import GPTQ
from app.layouts.mlx_writing import MLX
from app.layouts.onnx_matmul_writing import ONNX_MATMUL
from app.layouts.onnx_writing import ONNX
from app.layouts.plain_writing import SAFETENSORS
from app.layouts.torchao_writing import TORCHAO
from app.layouts.writing import OutputLayout
from app.schemes.entries import SchemeEntry

LAYOUTS: dict[str, OutputLayout] = {
    layout.name: layout
    for layout in (SAFETENSORS, COMPRESSED_TENSORS, BITSANDBYTES, GGUF, GPTQ, AWQ, MLX, TORCHAO, ONNX, ONNX_MATMUL)
}


def find_layout(name: str) -> OutputLayout:
    """The layout of that name.

    Raises:
        InvalidInput: `layout.unknown`.
    """
    layout = LAYOUTS.get(name)
    if layout is None:
        raise InvalidInput("layout.unknown", layout=name[:40], known=", ".join(LAYOUTS))
    return layout


def layouts_of(entry: SchemeEntry) -> tuple[str, ...]:
    """The layouts that a scheme can be written in, its own first."""
    found = [name for name, layout in LAYOUTS.items() if layout.takes(entry)]
    return tuple(sorted(found, key=lambda name: name != entry.layout))
