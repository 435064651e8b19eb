"""Weight files, schemes and reports."""

SENTENCES: dict[str, str] = {
    "compare.nothing-common": (
        "The two files have no tensor in common. Give the original first, then the compressed file."
    ),
    "compare.shape": "Tensor “{tensor}” has a different shape in the second file. Compare files of the same model.",
    "compare.unreadable": (
        "Tensor “{tensor}” differs, but its format cannot be read as numbers, so the error cannot be measured."
    ),
    "compress.already-quantized": (
        "The file’s metadata says that it is already quantized. Use the original weights with {scheme}."
    ),
    "compress.infinity": (
        "Tensor “{tensor}” holds infinite values ({infinities}), and {scheme} has no infinity. Exclude the tensor, "
        "or choose float16, bfloat16 or float8_e5m2."
    ),
    "compress.name-too-long": (
        "The name of tensor “{tensor}” is too long for the suffixes that the layout adds. Exclude it."
    ),
    "compress.not-finite": (
        "Tensor “{tensor}” holds values that are not finite (NaN: {nans}, infinite: {infinities}), which {scheme} "
        "cannot scale. Exclude the tensor, or repair the file."
    ),
    "compress.nothing": (
        "{scheme} would change none of the {tensors} tensors: they are norms, biases, embeddings or heads, or "
        "already that small. Name tensors with the include option, or choose another scheme."
    ),
    "compress.range": "Tensor “{tensor}” holds numbers too large for the float32 scales of {scheme}. Exclude it.",
    "file.changed": "The file changed while it was being read, so the result would be mixed. Try again.",
    "file.check-too-costly": (
        "The file’s header takes too much time or memory to check, so the file was refused. Export it again."
    ),
    "file.empty": "The file is empty. Check that its download finished, and try again.",
    "file.git-lfs-pointer": (
        "This is a Git LFS pointer, not the weights. Run “git lfs pull” where you cloned the model, and take "
        "the large file that appears."
    ),
    "file.html": (
        "This is a web page, not a weight file: the download probably saved a login or error page. Download "
        "the file itself."
    ),
    "file.json": "This is a JSON file, not a weight file. Use the model’s .safetensors file.",
    "file.other-kind": "This is not a weight file: its format is {kind}. Use the model’s .safetensors file.",
    "file.pickle": (
        "This is a Python pickle, which can run code when it is opened. Convert it to safetensors where you "
        "trust it, with safetensors.torch.save_file."
    ),
    "file.shrank": "The file became shorter while it was being read. Wait until it is fully written, and try again.",
    "file.unreadable": "“{name}” cannot be opened. Check that it exists and that you may read it.",
    "file.zip": "This is a zip archive inside something else. Unpack it, and put its files there directly.",
    "granularity.channel": "per row",
    "granularity.tensor": "per tensor",
    "header.array": "The header holds a list longer than {limit} bytes at byte {position}. No shape is that long.",
    "header.depth": "The header is nested more than {limit} deep at byte {position}. No weight file needs that.",
    "header.duplicate": "The header names “{key}” twice. Readers would disagree about which one counts.",
    "header.number": "The header holds “{number}”, which is not a whole number or is far too large.",
    "header.surrogate": (
        "The header holds half a character (a lone surrogate) in “{text}”. The file was written wrongly."
    ),
    "header.syntax": "The header is not valid JSON at position {position}. The file is damaged or incomplete.",
    "header.too-many-values": "The header holds more than {limit} values, too many to be a list of tensors.",
    "header.utf8": "The header is not valid UTF-8 at byte {position}. The file is damaged.",
    "kept.bias": "bias",
    "kept.embedding": "embedding",
    "kept.empty": "has no elements",
    "kept.excluded": "excluded by you",
    "kept.head": "head",
    "kept.larger": "would not become smaller",
    "kept.layout": "the layout holds matrices only",
    "kept.norm": "norm",
    "kept.not-floating": "not floating point",
    "kept.one-dimensional": "has only one dimension",
    "kept.quantization": "scale of an earlier quantization",
    "kept.same-format": "already in this format",
    "note.unusual-name": "Its name does not end in “.weight”, so loaders may not look for its packed form.",
    "options.pattern-length": "A name pattern must have from 1 to {limit} characters.",
    "options.too-many-patterns": "More than {limit} name patterns were given. Use fewer.",
    "options.type": "The option “{name}” has a value of the wrong kind. Correct it.",
    "options.unknown": "There is no option named “{name}”. Check its spelling.",
    "output.busy": "Another process is writing “{name}” at this moment. Wait for it, or choose another name.",
    "output.config-differs": (
        "The “{name}” beside the result is not this model’s, or holds another quantization. Choose another folder, "
        "or overwrite it with --force."
    ),
    "output.config-kept": (
        "config.json describes the original and was left as it is; the result tells its layout in its own metadata. "
        "For a model that loaders open, let OUT be a folder."
    ),
    "output.exists": "“{name}” already exists. Choose another name, or overwrite it with --force.",
    "output.is-report": (
        "The report cannot be written to “{name}”, which this job uses for something else. Choose another name."
    ),
    "output.is-source": "“{name}” is the file to be read. Choose another name for the result.",
    "output.no-folder": "The folder for “{name}” does not exist. Create it first.",
    "output.not-writable": (
        "“{name}” cannot be written there. Choose another place, or check the permissions of the folder."
    ),
    "output.part-differs": "The unfinished result “{name}” does not fit the source and options. Start again.",
    "output.part-missing": "The unfinished result “{name}” is gone. Start again.",
    "safetensors.ambiguous": (
        "The file can be read as safetensors and as {other} at once, so it was refused: programs would "
        "disagree about what it holds."
    ),
    "tensor.dimension": "Tensor “{tensor}” has a dimension of {dimension}; it must be at least 0 and below 2^48.",
    "safetensors.fields": "Tensor “{tensor}” must have exactly dtype, shape and data_offsets in the header.",
    "safetensors.header-missing": (
        "The first 8 bytes give the header a length of {length} bytes, so there is none. This is not a safetensors "
        "file, or it is damaged."
    ),
    "safetensors.header-past-end": (
        "The header claims {length} bytes, but the file ends after {bytes}. The file is incomplete, or not a "
        "safetensors file."
    ),
    "safetensors.header-start": (
        "The header must begin with “{{”, but it begins with the byte {byte}. This is not a safetensors file, or it "
        "is damaged."
    ),
    "safetensors.header-too-long": (
        "The first 8 bytes give the header a length of {length} bytes; at most {limit} are allowed. This is "
        "probably not a safetensors file."
    ),
    "safetensors.hole": (
        "There are {bytes} bytes before tensor “{tensor}” that belong to no tensor, which safetensors forbids."
    ),
    "safetensors.metadata": "The header’s __metadata__ may hold text only, but “{key}” holds something else.",
    "tensor.name-control": (
        "The name of tensor “{tensor}” holds a control character. Rename it and export the file again."
    ),
    "tensor.name-too-long": "The name of tensor “{tensor}” is longer than {limit} bytes.",
    "safetensors.offset-order": "The data of tensor “{tensor}” would run from {begin} to {end}, which is impossible.",
    "safetensors.offsets": "The data_offsets of tensor “{tensor}” are not two whole numbers.",
    "tensor.overflow": (
        "The shape of tensor “{tensor}” multiplies to 2^63 elements or more. The file is damaged or forged."
    ),
    "safetensors.overlap": "Tensors “{tensor}” and “{other}” share bytes, which safetensors forbids.",
    "tensor.rank": "Tensor “{tensor}” has {rank} dimensions; at most {limit} are accepted.",
    "safetensors.shape": "The shape of tensor “{tensor}” is not a list of whole numbers.",
    "safetensors.size-mismatch": (
        "Tensor “{tensor}” needs {needed} bytes by its shape, but its offsets give it {given}."
    ),
    "safetensors.sub-byte": "Tensor “{tensor}” takes {bits} bits, which is not a whole number of bytes.",
    "safetensors.too-large-to-write": (
        "The result would need a header of {bytes} bytes for {tensors} tensors, more than is accepted. "
        "Exclude some tensors."
    ),
    "safetensors.too-many-tensors": "The file lists more than {limit} tensors, which is the most that are accepted.",
    "safetensors.too-short": (
        "The file has only {bytes} bytes, too few for a safetensors file. The download was probably interrupted."
    ),
    "safetensors.trailing": (
        "There are {bytes} bytes after the last tensor that belong to none, which safetensors forbids."
    ),
    "safetensors.truncated": (
        "The file is incomplete: the data of tensor “{tensor}” ends {missing} bytes after the end of the file. "
        "Download it again."
    ),
    "safetensors.unknown-dtype": "Tensor “{tensor}” has the dtype “{dtype}”, which safetensors does not define.",
    "safetensors.written-twice": "The result would hold two tensors named “{tensor}”. Exclude one of them.",
}
