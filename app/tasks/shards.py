"""How an output is cut into files, and what they are called: as model hubs have it."""

from collections.abc import Sequence
from pathlib import PurePath


def shards_by_part(parts: Sequence[int]) -> list[int]:
    """The file of each tensor: as many files as parts of the source that hold any, in their order."""
    order = {part: place for place, part in enumerate(sorted(set(parts)))}
    return [order[part] for part in parts]


def shards_by_size(sizes: Sequence[int], most: int) -> list[int]:
    """The file of each tensor: the next one begins where the most would be passed; a larger tensor is alone."""
    places: list[int] = []
    place = filled = 0
    for size in sizes:
        if filled and filled + size > most:
            place, filled = place + 1, 0
        places.append(place)
        filled += size
    return places


def shard_names(file_name: str, count: int) -> tuple[str, ...]:
    """`model.safetensors`, or `model-00001-of-00003.safetensors` and so on."""
    if count == 1:
        return (file_name,)
    path = PurePath(file_name)
    return tuple(f"{path.stem}-{number:05d}-of-{count:05d}{path.suffix}" for number in range(1, count + 1))


def index_name(file_name: str) -> str:
    """The file that tells which tensor is in which file."""
    return f"{file_name}.index.json"
