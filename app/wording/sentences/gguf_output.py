"""What is said about GGUF files that are written."""

SENTENCES: dict[str, str] = {
    "gguf.experts-differ": (
        "All experts of a layer are one tensor in GGUF (“{tensor}”), so they need the same scheme. Use a name pattern "
        "that takes in all of them."
    ),
    "gguf.metadata-to-write": (
        "The metadata of the source take {bytes} bytes; at most {limit} can be copied into another file."
    ),
    "gguf.name-to-write": "The name of tensor “{tensor}” has no place in GGUF: it must have from 1 to {limit} bytes.",
    "gguf.rank-to-write": (
        "The tensor “{tensor}” has {rank} dimensions, and GGUF holds at most {limit}. Choose another layout."
    ),
    "gguf.rows-to-write": (
        "The rows of “{tensor}” have {columns} elements, which blocks of {block} do not divide. Choose another scheme "
        "for it."
    ),
    "gguf.too-many-to-write": "There would be {tensors} tensors, and a GGUF file holds at most {limit}.",
    "gguf.written-twice": "Two tensors would be called “{tensor}” in the GGUF file. Rename one in the source.",
    "kept.gguf-experts": "this scheme’s scale has no place beside experts that are one tensor",
    "kept.gguf-float32": "llama.cpp reads it in float32",
    "kept.gguf-left-out": "left out: llama.cpp does not read it",
    "note.gguf-left-out": "Left out of the file: llama.cpp does not read it, and the model runs without it.",
    "remark.gguf-bad-config": (
        "llama.cpp will not run this file: config.json lacks a value that it needs, or does not fit the tensors. The "
        "tensors keep their names; other GGUF readers open it."
    ),
    "remark.gguf-missing": (
        "llama.cpp will not run this file: tensors that the model needs are missing. Those that are there keep their "
        "names; other GGUF readers open it."
    ),
    "remark.gguf-no-config": (
        "llama.cpp will not run this file: there is no config.json, so it is not known what model this is. The tensors "
        "keep their names; other GGUF readers open it. To get a model that runs, give the model’s folder."
    ),
    "remark.gguf-no-tokenizer": (
        "The file has no tokenizer, for no usable tokenizer.json was found: llama.cpp runs the model on token numbers "
        "only. To have one, put the model’s tokenizer files beside the weights."
    ),
    "remark.gguf-other-cuts": (
        "This tokenizer cuts text in a way that llama.cpp has no name for: some text may become other tokens than in "
        "the original model."
    ),
    "remark.gguf-other-setting": (
        "llama.cpp will not run this file: config.json asks for something that it does otherwise, such as another "
        "activation or scaling of positions. The tensors keep their names; other GGUF readers open it."
    ),
    "remark.gguf-other-tokenizer": (
        "The file has no tokenizer, for this kind is not written yet: llama.cpp runs the model on token numbers only."
    ),
    "remark.gguf-unknown-model": (
        "llama.cpp will not run this file: models of the Llama, Mistral, Mixtral, Qwen and BERT families are mapped to "
        "its names, and this is none of them. The tensors keep their names; other GGUF readers open it."
    ),
    "remark.gguf-unplaced": (
        "llama.cpp will not run this file: the model has tensors that its kind has no place for. All keep their names; "
        "other GGUF readers open it."
    ),
}
