"""Which files of a folder are its weights: those that its own loader would take, else all that hold any."""

import re
from dataclasses import dataclass

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import read_buffer, read_start
from app.weightfiles.containers import CONTAINERS
from app.weightfiles.content_kind import SNIFFED_BYTES, looks_like_safetensors
from app.weightfiles.listing import Listing
from app.weightfiles.onnx_header import looks_like_onnx
from app.weightfiles.safetensors_header import LENGTH_BYTES, MAX_HEADER_BYTES
from app.weightfiles.shard_index import INDEX_SUFFIX, MAX_INDEX_BYTES, ShardIndex, read_index
from app.weightfiles.strict_json import shown

MAX_PARTS = 512
_LOADED_FIRST = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "adapter_model.safetensors",
    "adapter_model.bin",
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
)
"""In the order in which transformers, peft and diffusers look for them; the first that is there is the model."""
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".npy", ".npz", ".onnx")
_NOT_READ = (".h5", ".msgpack", ".ot", ".tflite", ".mlmodel", ".pb", ".zip", ".gz", ".tar")
_TRAINER_STATE = re.compile(r"(?:training_args|optimizer|scheduler|scaler|rng_state\w*)\.(?:bin|pt|pth)", re.ASCII)
_SPLIT = re.compile(r"(.+)-([0-9]{5})-of-([0-9]{5})\.gguf", re.ASCII | re.DOTALL)
"""How llama.cpp names the pieces of a split model."""


@dataclass(frozen=True, slots=True)
class ChosenFiles:
    """The names of the files that hold the tensors, in order, and the index that listed them, if one did."""

    names: tuple[str, ...]
    index: ShardIndex | None = None


def choose_files(listing: Listing) -> ChosenFiles:
    """The weights of a folder or of a zip.

    Raises:
        WeightFileError: `folder.no-weights`, `folder.several-indexes`, `split.*`, or what is wrong with an index.
    """
    chosen = next((name for name in _LOADED_FIRST if name in listing.sizes), None)
    if chosen is None:
        indexes = [name for name in listing.sizes if name.endswith(INDEX_SUFFIX)]
        if len(indexes) > 1:
            first, second, *_ = map(shown, indexes)
            raise WeightFileError("folder.several-indexes", first=first, second=second)
        chosen = next(iter(indexes), None)
    if chosen is not None:
        return choose_by_index(listing, chosen) if chosen.endswith(INDEX_SUFFIX) else ChosenFiles((chosen,))
    found = tuple(name for name in listing.sizes if is_weights(listing, name))
    if not found:
        raise WeightFileError("folder.no-weights", files=len(listing.sizes))
    if len(found) > MAX_PARTS:
        raise WeightFileError("folder.too-many-parts", files=len(found), limit=MAX_PARTS)
    for name in found:
        pieces = pieces_of_split(listing, name)
        if pieces and set(pieces) == set(found):
            return ChosenFiles(pieces)
    return ChosenFiles(found)


def choose_by_index(listing: Listing, name: str) -> ChosenFiles:
    """The shards that an index file names.

    Raises:
        WeightFileError: `index.*` and `header.*` for a broken rule.
    """
    ranges = listing.open(name)
    try:
        if ranges.size > MAX_INDEX_BYTES:
            raise WeightFileError("index.too-long", name=shown(name), limit=MAX_INDEX_BYTES)
        index = read_index(read_buffer(ranges, 0, ranges.size), listing)
    finally:
        ranges.close()
    return ChosenFiles(index.shards, index)


def pieces_of_split(listing: Listing, name: str) -> tuple[str, ...]:
    """All pieces of the split GGUF model that a file is a piece of, by its name; empty if it is none.

    Raises:
        WeightFileError: `split.missing`.
    """
    match = _SPLIT.fullmatch(name)
    count = int(match[3]) if match else 0
    if match is None or not 1 < count <= MAX_PARTS:
        return ()
    names = tuple(f"{match[1]}-{number:05d}-of-{match[3]}.gguf" for number in range(1, count + 1))
    for each in names:
        if each not in listing.sizes:
            raise WeightFileError("split.missing", piece=shown(each), pieces=count)
    return names


def is_weights(listing: Listing, name: str) -> bool:
    """Whether a file holds tensors by its content, or says so by its name; its reader then finds out."""
    if _TRAINER_STATE.fullmatch(name):
        return False
    if name.endswith(_WEIGHT_SUFFIXES):
        return True
    if name.endswith(_NOT_READ):
        return False
    try:
        start = _start_of(listing, name)
    except WeightFileError:
        return False  # such as a link to a text elsewhere
    if looks_like_safetensors(start):
        length = int.from_bytes(start[:LENGTH_BYTES], "little")
        return length <= min(MAX_HEADER_BYTES, listing.sizes[name])
    return any(container.is_it(start) for container in CONTAINERS)


def is_companion(name: str) -> bool:
    """Whether a file that holds no chosen weights may be a config, a tokenizer and so on."""
    return not (name.endswith((*_WEIGHT_SUFFIXES, *_NOT_READ)) or _TRAINER_STATE.fullmatch(name))


def is_model_with_externals(listing: Listing, name: str) -> bool:
    """Whether a file is an ONNX model, whose tensors may lie in other files of the listing.

    Raises:
        WeightFileError: it may not be read.
    """
    return looks_like_onnx(_start_of(listing, name))


def _start_of(listing: Listing, name: str) -> bytes:
    ranges = listing.open(name)
    try:
        return read_start(ranges, SNIFFED_BYTES)
    finally:
        ranges.close()
