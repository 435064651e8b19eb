"""What a GGUF file may be refused for."""

SENTENCES: dict[str, str] = {
    "gguf.alignment": (
        "“{key}” is {alignment}; it must be a power of two from {lowest} to {highest}. Write the file again."
    ),
    "gguf.alignment-type": "“{key}” must be of the type uint32. Write the file again.",
    "gguf.ambiguous": (
        "The file can be read as GGUF and as {other} at once, so it was refused: programs would disagree about what "
        "it holds."
    ),
    "gguf.array-length": "The list “{key}” claims {count} elements; at most {limit} are accepted.",
    "gguf.array-of-arrays": "“{key}” is a list of lists, which is not accepted. Write the file without it.",
    "gguf.big-endian": (
        "This is a big-endian GGUF file. Convert it to little-endian first, with gguf-convert-endian of the Python "
        "package gguf."
    ),
    "gguf.bool": "“{key}” should be true or false, but its byte is {byte}. The file is damaged.",
    "gguf.cut": (
        "The GGUF header is incomplete: it goes on at byte {position}, but the file ends after {bytes} bytes. Download "
        "it again."
    ),
    "gguf.duplicate-key": "The metadata names “{key}” twice. Readers would disagree about which one counts.",
    "gguf.duplicate-tensor": "The file lists tensor “{tensor}” twice. Readers would disagree about which one counts.",
    "gguf.header-too-long": "The GGUF header is longer than {limit} bytes, the most that is accepted.",
    "gguf.hole": "There are {bytes} bytes before tensor “{tensor}” that belong to no tensor, which GGUF forbids.",
    "gguf.key-control": (
        "The key “{key}” at byte {position} of the metadata holds a control character. Write the file without it."
    ),
    "gguf.key-length": (
        "A key of the metadata, at byte {position}, claims a length of {length} bytes; it must have from 1 to {limit}."
    ),
    "gguf.key-utf8": "A key of the metadata, at byte {position}, is not valid UTF-8 ({key}). The file is damaged.",
    "gguf.keys-past-end": (
        "The file claims {count} metadata entries, but only {bytes} bytes follow. It is incomplete or forged."
    ),
    "gguf.keys-too-long": "The keys of the metadata take more than {limit} bytes together, the most that is accepted.",
    "gguf.list-too-long": "The list of tensors takes more than {limit} bytes, the most that is accepted.",
    "gguf.magic": "The file does not begin with “GGUF”. It is not a GGUF file, or it is damaged.",
    "gguf.name-length": (
        "The name of a tensor, at byte {position}, claims {length} bytes; at most {limit} are accepted."
    ),
    "gguf.name-utf8": "The name of a tensor, at byte {position}, is not valid UTF-8 ({tensor}). The file is damaged.",
    "gguf.offset-alignment": (
        "Tensor “{tensor}” begins at offset {offset}, which is no multiple of the alignment {alignment}. The file was "
        "written wrongly."
    ),
    "gguf.overlap": "Tensors “{tensor}” and “{other}” share bytes, which GGUF forbids.",
    "gguf.removed-type": (
        "Tensor “{tensor}” is stored in ggml’s type {type}, which was removed. Convert the original model again with "
        "a current llama.cpp."
    ),
    "gguf.row": (
        "Tensor “{tensor}” has rows of {columns} elements, but {type} stores blocks of {block}. The file is damaged or "
        "forged."
    ),
    "gguf.string-length": "The text “{key}” claims {length} bytes; at most {limit} are accepted.",
    "gguf.tensors-past-end": (
        "The file claims {count} tensors, but only {bytes} bytes follow. It is incomplete or forged."
    ),
    "gguf.too-many-keys": "The file claims {count} metadata entries; at most {limit} are accepted.",
    "gguf.too-many-strings": "The lists of the metadata hold more than {limit} texts, the most that are accepted.",
    "gguf.too-many-tensors": "The file claims {count} tensors; at most {limit} are accepted.",
    "gguf.trailing": "There are {bytes} bytes after the last tensor that belong to none, which is not accepted.",
    "gguf.truncated": (
        "The file is incomplete: the data of tensor “{tensor}” ends {missing} bytes after the end of the file. "
        "Download it again."
    ),
    "gguf.unknown-type": (
        "Tensor “{tensor}” is stored in type {type}, which ggml does not define. The file is damaged, or newer than "
        "this program."
    ),
    "gguf.value-past-end": (
        "“{key}” claims {needed} bytes or more, but the file ends after {left}. It is incomplete or forged."
    ),
    "gguf.value-type": "“{key}” has a value of type {type}, which GGUF does not define. The file is damaged.",
    "gguf.version": (
        "This is version {version} of GGUF; versions 2 and 3 are read. Convert the original model again with a current "
        "llama.cpp."
    ),
}
