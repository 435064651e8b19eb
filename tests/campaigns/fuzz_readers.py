"""Damaged files through the readers of containers: `--reader NAME --seconds N --count N --seed N`.

No exception but the application's own may come out, whose sentence must exist; what is accepted must lie inside the
file; none may take more than two seconds of processor time. `READERS` has a line for each reader: good files to damage,
pieces that its grammar knows, and the function that reads.
"""

import argparse
import random
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from app.errors import WeightFileError
from app.weightfiles import bare_pickles, gguf_header, npy_header, safetensors_header, zip_container
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.file_header import FileHeader
from app.weightfiles.memory_ranges import MemoryRanges
from app.wording import say
from tests.weightfiles import fuzzed_checkpoints as checkpoints
from tests.weightfiles import fuzzed_models as models
from tests.weightfiles import made_gguf as gguf

LIMIT = 2.0
_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 9, 31, 32, 33, 64, 127, 255, 256, 1024, 65_535, 65_536, 1 << 24, 1 << 31)
_LARGE = ((1 << 32) - 1, 1 << 32, 1 << 40, 1 << 48, (1 << 63) - 1, 1 << 63, (1 << 64) - 32, (1 << 64) - 1)
PIECES = (
    b"",
    *(bytes([value]) for value in (0, 1, 9, 0x20, 0x7F, 0x80, 0xC0, 0xFF)),
    *(struct.pack("<I", value) for value in _NUMBERS),
    *(struct.pack("<Q", value) for value in (*_NUMBERS, *_LARGE)),
    *(b"\0" * 32, b"\xff" * 16, b"PK\5\6" + b"\0" * 18, b"PK\3\4"),
)
"""What may stand anywhere in any file."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One line of the table."""

    seeds: Callable[[], Sequence[bytes]]
    """Good files, small ones."""
    read: Callable[[ByteRanges], FileHeader]
    pieces: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Found:
    """What a campaign has to tell."""

    tried: int = 0
    accepted: int = 0
    slowest: float = 0.0


def gguf_seeds() -> Sequence[bytes]:
    texts = gguf.array(gguf.STRING, 100, gguf.text("token") * 100)
    entries = (
        gguf.word("general.alignment", 32),
        gguf.entry("general.architecture", gguf.STRING, gguf.text("llama")),
        gguf.entry("tokens", gguf.ARRAY, texts),
        gguf.entry("scores", gguf.ARRAY, gguf.array(gguf.FLOAT32, 3, struct.pack("<3f", 1, 0.1, float("nan")))),
        gguf.entry("flag", gguf.BOOL, b"\1"),
    )
    tensors = (
        gguf.tensor("token_embd.weight", (32, 2), gguf.Q8_0),
        gguf.tensor("output_norm.weight", (4,), gguf.F32, 96),
        gguf.tensor("blk.0.attn_q.weight", (256, 1, 1), gguf.Q4_K, 128),
    )
    return (
        gguf.made(entries, tensors, bytes(128 + 144)),
        gguf.made((), (gguf.tensor(),), bytes(16)),
        gguf.made(entries[:2], version=2),
    )


def safetensors_seeds() -> Sequence[bytes]:
    headers = (
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2,2],"data_offsets":[4,8]}}',
        b'{"__metadata__":{"k":"v"},"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}    ',
    )
    return [struct.pack("<Q", len(header)) + header + bytes(size) for header, size in zip(headers, (8, 4), strict=True)]


READERS: dict[str, Reader] = {
    "gguf": Reader(
        gguf_seeds,
        gguf_header.read_header,
        (
            *(b"GGUF", gguf.text("k"), gguf.word("k", 1), gguf.word("general.alignment", 64), gguf.tensor("v", (2, 0))),
            *(struct.pack("<I", number) for number in (13, 14, 30, 34, 39, 40, 41)),
        ),
    ),
    "safetensors": Reader(
        safetensors_seeds,
        safetensors_header.read_header,
        (b"{", b"}", b"[", b"]", b'"', b",", b":", b"-", b"1e3", b'"a":', b"null", b"9" * 30, b"\\u0061", b"\xc3\xa9"),
    ),
    "pytorch": Reader(checkpoints.pickle_seeds, checkpoints.read_pickle, checkpoints.PICKLE_PIECES),
    "pickle": Reader(checkpoints.bare_pickle_seeds, bare_pickles.read_header, checkpoints.PICKLE_PIECES),
    "npy": Reader(checkpoints.npy_seeds, npy_header.read_header, checkpoints.NPY_PIECES),
    "zip": Reader(checkpoints.zip_seeds, zip_container.read_header, checkpoints.ZIP_PIECES),
    "onnx": Reader(models.onnx_seeds, models.read_onnx, models.ONNX_PIECES),
    "index": Reader(models.index_seeds, models.read_shards, models.INDEX_PIECES),
    "folder": Reader(models.folder_seeds, models.read_folder, checkpoints.ZIP_PIECES),
}


def damaged(seeds: Sequence[bytes], pieces: tuple[bytes, ...], chance: random.Random) -> bytes:
    """A good file with one to four changes: bytes put over others or between them, moved, taken away or flipped."""
    content = bytearray(chance.choice(seeds))
    for _ in range(chance.randrange(1, 5)):
        if not content:
            break
        place = chance.randrange(len(content))
        size = chance.choice((1, 1, 2, 4, 8, 8, 16, chance.randrange(1, 200)))
        kind = chance.randrange(7)
        if kind == 0:
            content[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del content[place : place + size]
        elif kind == 2:
            content[place:place] = content[chance.randrange(len(content)) :][:size]
        elif kind == 3:
            del content[place + 1 :]
        else:
            piece = chance.choice(pieces) if kind < 6 else chance.randbytes(size)
            content[place : place + len(piece) * chance.randrange(2)] = piece
    return bytes(content)


@cache
def _check_sentence(code: str, figures: tuple[str, ...]) -> None:
    """Once for each code: a refusal has a sentence, which its figures fill."""
    assert say(code, dict.fromkeys(figures, 1)), code


def tell(reader: Reader, content: bytes) -> bool:
    """Reads one file; whether it was accepted.

    Raises:
        AssertionError: what was accepted lies outside the file, or what was refused has no sentence.
    """
    try:
        header = reader.read(MemoryRanges("x", content))
    except WeightFileError as refused:
        _check_sentence(refused.code, tuple(refused.figures))
        return False
    inside = [each for each in header.tensors if each.part == 0]
    assert all(0 <= each.begin <= each.end <= len(content) for each in inside), "bytes beyond the file"
    return True


def campaign(reader: Reader, *, seconds: float = 1e9, count: int = 1 << 62, seed: int = 0) -> Found:
    """Runs for so long or so many, whichever ends first.

    Raises:
        AssertionError: with the file in hexadecimal digits, where one broke the reader or took too long.
    """
    chance, found, end = random.Random(seed), Found(), time.monotonic() + seconds
    seeds, pieces = reader.seeds(), PIECES + reader.pieces
    while found.tried < count and time.monotonic() < end:
        content = damaged(seeds, pieces, chance)
        start = time.thread_time()
        try:
            found.accepted += tell(reader, content)
        except Exception as error:
            raise AssertionError(f"seed {seed}, file {found.tried}: {content.hex()}") from error
        taken = time.thread_time() - start
        found.slowest = max(found.slowest, taken)
        assert taken < LIMIT, f"seed {seed}, file {found.tried}: {taken:.1f} s for {content.hex()}"
        found.tried += 1
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", choices=sorted(READERS), action="append")
    parser.add_argument("--seconds", type=float, default=1e9, help="for each reader")
    parser.add_argument("--count", type=int, default=1_000_000, help="for each reader")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    arguments = parser.parse_args()
    for name in arguments.reader or sorted(READERS):
        found = campaign(READERS[name], seconds=arguments.seconds, count=arguments.count, seed=arguments.seed)
        print(
            f"{name}, seed {arguments.seed}: {found.tried:,} tried, {found.accepted:,} accepted, the rest refused in "
            f"words; slowest {1000 * found.slowest:.1f} ms",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
