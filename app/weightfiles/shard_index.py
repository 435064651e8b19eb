"""The index of a sharded model (`model.safetensors.index.json`): which shard holds each tensor, as it claims.

A JSON object: `{"metadata": {"total_size": 8}, "weight_map": {"bias": "model-00001-of-00002.safetensors"}}`.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import WeightFileError
from app.weightfiles.file_header import MAX_TENSORS, check_name
from app.weightfiles.listing import Listing
from app.weightfiles.plain_names import is_plain_name
from app.weightfiles.strict_json import parse_strict, shown

MAX_INDEX_BYTES = 16 << 20
MAX_SHARDS = 512
INDEX_SUFFIX = ".index.json"
_MAX_OBJECTS = 1000


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """A checked index. The names in it have been looked up, nothing else was done with them."""

    shards: tuple[str, ...]
    """In the order of their names."""
    weight_map: Mapping[str, str]
    metadata: Mapping[str, Any]


def looks_like_json(start: bytes) -> bool:
    """Whether a file's first bytes are those of a JSON object: text, unlike a length that happens to begin with `{`."""
    return start.lstrip(b" \t\r\n")[:1] == b"{" and b"\0" not in start[:16]


def read_index(text: bytearray, listing: Listing) -> ShardIndex:
    """The index whose JSON is `text`, its shards looked up in the listing; the bytes are emptied on the way.

    Raises:
        WeightFileError: `index.*` and `header.*` for a broken rule.
    """
    document = parse_strict(text, max_objects=_MAX_OBJECTS, too_many=_too_many, fractions=True)
    found = document.get("weight_map") if isinstance(document, dict) else None
    if not isinstance(found, dict):
        raise WeightFileError("index.no-map")
    if not found:
        raise WeightFileError("index.empty")
    if len(found) > MAX_TENSORS:
        raise _too_many()
    for tensor, shard in found.items():
        check_name(tensor)
        if not isinstance(shard, str):
            raise WeightFileError("index.shard-name", tensor=shown(tensor), shard=shown(str(shard), 40))
        found[tensor] = sys.intern(shard)
    shards = sorted(set(found.values()))
    if len(shards) > MAX_SHARDS:
        raise WeightFileError("index.too-many-shards", shards=len(shards), limit=MAX_SHARDS)
    for shard in shards:
        if not is_plain_name(shard):
            tensor = next(name for name, holder in found.items() if holder == shard)
            raise WeightFileError("index.shard-name", tensor=shown(tensor), shard=shown(shard))
        if shard not in listing.sizes:
            raise WeightFileError("index.shard-missing", shard=shown(shard))
    metadata = document.get("metadata")
    return ShardIndex(tuple(shards), found, metadata if isinstance(metadata, dict) else {})


def check_holders(index: ShardIndex, holders: Mapping[str, str]) -> None:
    """Whether every tensor is in the shard that the index names; `holders` is the shard of each tensor found.

    A shard may hold a tensor that the index leaves out: it counts, as it does for loaders.

    Raises:
        WeightFileError: `index.tensor-missing`, `index.tensor-elsewhere`.
    """
    for tensor, shard in index.weight_map.items():
        holder = holders.get(tensor)
        if holder is None:
            raise WeightFileError("index.tensor-missing", tensor=shown(tensor), shard=shown(shard))
        if holder != shard:
            figures = {"tensor": shown(tensor), "shard": shown(shard), "other": shown(holder)}
            raise WeightFileError("index.tensor-elsewhere", **figures)


def _too_many() -> WeightFileError:
    return WeightFileError("index.too-many-tensors", limit=MAX_TENSORS)
