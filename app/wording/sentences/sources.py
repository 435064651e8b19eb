"""What a folder, the index of a sharded model or several files together may be refused for."""

SENTENCES: dict[str, str] = {
    "folder.link": (
        "“{name}” is a link, or has a second name elsewhere, so it could be any file of this computer. Put the "
        "file itself into the folder."
    ),
    "folder.no-such-file": "“{name}” is not there. Name a file that lies beside the others.",
    "folder.no-weights": (
        "None of the {files} files holds weights. Name the folder with the weight files themselves, not one above it."
    ),
    "folder.several-indexes": (
        "The folder holds several models: “{first}” and “{second}” list the shards of one each. Name the one to open."
    ),
    "folder.tensor-twice": (
        "Tensor “{tensor}” is in “{first}” and in “{second}” as well. Name the one file that counts, or remove the "
        "other from the folder."
    ),
    "folder.too-many-files": (
        "The folder “{name}” holds more than {limit} files. Put the model into a folder of its own."
    ),
    "folder.too-many-parts": (
        "The weights lie in {files} files; at most {limit} are opened together. Use fewer, larger ones."
    ),
    "folder.too-many-tensors": (
        "The files list more than {limit} tensors together, which is the most that are accepted."
    ),
    "folder.unreadable": "The folder “{name}” cannot be listed. Check that you may read it.",
    "index.empty": "The index lists no tensor. Export the model again.",
    "index.no-map": "The index has no “weight_map” that says which shard holds each tensor. Export the model again.",
    "index.shard-missing": (
        "The index lists “{shard}”, which is not beside it. Put all shards and the index into one folder and open "
        "that, or upload them as one zip."
    ),
    "index.shard-name": (
        "The index says that tensor “{tensor}” lies in “{shard}”, which is no plain file name. Shards must lie in "
        "the folder of the index."
    ),
    "index.tensor-elsewhere": (
        "The index says that tensor “{tensor}” lies in “{shard}”, but it lies in “{other}”. The index belongs to "
        "other files; download it again with its shards."
    ),
    "index.tensor-missing": (
        "The index says that tensor “{tensor}” lies in “{shard}”, but no shard holds it. Download the shards again."
    ),
    "index.too-long": "The index “{name}” is longer than {limit} bytes, the most that is accepted.",
    "index.too-many-shards": "The index lists {shards} shards; at most {limit} are opened together.",
    "index.too-many-tensors": "The index lists more than {limit} tensors, which is the most that are accepted.",
    "remote.failed": "“{name}” could not be read: {reason}. Try again, or download it first.",
    "remote.forbidden": "You may not read “{name}”. Log in where it lies, or ask its owner for access.",
    "remote.no-library": "Reading {scheme}:// needs a library that is not installed: pip install '{library}'.",
    "remote.no-listing": (
        "What lies beside a file cannot be listed over {scheme}. Download the folder, or use hf:// or s3://."
    ),
    "remote.no-ranges": "The server cannot give parts of “{name}”, so it cannot be read from there. Download it first.",
    "remote.not-found": "There is nothing at “{name}”. Check the address.",
    "remote.scheme": "“{address}” is no address that can be read. These kinds can: {known}.",
    "source.in-part": "{part}: {sentence}",
    "split.missing": (
        "This is one of {pieces} pieces of a model, and “{piece}” is not beside it. Put all pieces into one folder."
    ),
    "zip.deflated": (
        "“{member}” in the zip archive is compressed, and together with the others too large to be unpacked "
        "({limit} bytes at most). Make the archive without compression, with “zip -0”."
    ),
}
