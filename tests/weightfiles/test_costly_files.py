"""Files made to cost time or memory: each is answered within two seconds of processor time and 64 MiB."""

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.weightfiles.made_checkpoints import (
    archive,
    checkpoint,
    dictionary,
    named,
    number,
    program,
    storage,
    tensor,
    text,
)
from tests.weightfiles.made_npy import header_text, npy
from tests.weightfiles.test_zip_archive import zipped

GOOD = dictionary({"w": tensor()})
MAX_SECONDS = 2
MAX_MEMORY = 64 << 20

READ_ALL = """
import json, re, sys, time
from app.errors import WeightFileError
from app.weightfiles.byte_ranges import LocalFile
from app.weightfiles.containers import read_any_header

def resident(field):
    with open("/proc/self/status") as status:
        return int(re.search(field + r":\\s+([0-9]+) kB", status.read())[1]) << 10

for path in sys.argv[1:]:
    file = LocalFile(path)
    with open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
    before, start = resident("VmRSS"), time.process_time()
    try:
        answer = read_any_header(file).kind
    except WeightFileError as error:
        answer = error.code
    print(json.dumps([answer, time.process_time() - start, resident("VmHWM") - before]))
    del answer
"""


def spread(count: int) -> bytes:
    """Remembers a value under numbers far apart."""
    return b"".join(b"r" + struct.pack("<L", (index * 2_654_435_761) % (1 << 32)) for index in range(count))


def doubled(count: int) -> bytes:
    """Lists that each hold the one before twice: walked through naively, 2^count values."""
    return (
        b"(]\x94" + b"".join(b"(h" + bytes([index]) + b"h" + bytes([index]) + b"l\x94" for index in range(count)) + b"t"
    )


def many_storages(count: int) -> bytes:
    tensors = {f"layer.{index}.weight": tensor((1,), stored=storage(f"{index}", 1)) for index in range(count)}
    return archive(program(dictionary(tensors)), {f"{index}": bytes(4) for index in range(count)})


PICKLES = {
    "operations": b"N0" * 600_000 + GOOD,
    "lists": b"(" + b"]" * 999_000 + b"t",
    "dictionaries": b"(" + b"}" * 999_000 + b"t",
    "remembered": b"(" + b"}\x94" * 499_000 + b"t",
    "remembered far apart": b"N" + spread(400_000),
    "lists in lists": b"]" * 300_000 + b"a" * 299_999,
    "tuples in tuples": b")" + b"\x85" * 998_000,
    "doubled": doubled(60),
    "wide text": text("\U0001f600" * (3 << 20)),
    "long text": text("a" * (15 << 20)),
    "one long list": b"(" + b"N" * 100_000 + b"l\x94" + b"(h\0l" * 200_000 + b"0" * 200_000,
    "keys": b"}(" + b"".join(number(index << 32) + b"N" for index in range(200_000)) + b"u",
    "storages": b"(" + storage("0" * 100) * 10_000 + b"t",
    "sizes": b"(" + (named("torch", "Size") + b")\x85R") * 40_000 + b"t",
    "marks": (b"(" * 900 + b"1" * 900) * 550 + GOOD,
    "metadata": dictionary({f"k{index}": text("v" * 50) for index in range(60_000)}),
    "one tensor often": dictionary({f"k{index}": tensor() for index in range(20_000)}),
}
FILES: dict[str, Callable[[], bytes]] = {
    **{name: (lambda value=value: checkpoint(value)) for name, value in PICKLES.items()},
    "bare pickle": lambda: program(b"(" + b"]" * 999_000 + b"t"),
    "bare pickles": lambda: b"".join(program(b"(" + b"}" * 120_000 + b"t") for _ in range(8)),
    "storages of their own": lambda: many_storages(9_900),
    "members": lambda: zipped({f"{index}.npy": b"" for index in range(70_000)}),
    "arrays": lambda: zipped({f"{index}.npy": npy("<f4", (1,), bytes(4)) for index in range(10_000)}),
    "deflated arrays": lambda: zipped({f"{index}.npy": npy("<f4", (1,), bytes(4)) for index in range(10_000)}, 8),
    "brackets": lambda: header_text("(" * 9_000),
    "many digits": lambda: header_text("{'descr': '<f4', 'fortran_order': False, 'shape': (" + "1" * 9_000 + ",), }"),
    "spaces": lambda: header_text("{" + " " * 9_000),
}  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured as Linux tells it")
def test_no_file_takes_much_time_or_memory(tmp_path: Path) -> None:
    paths = []
    for index, content in enumerate(FILES.values()):
        paths.append(tmp_path / f"{index}")
        paths[-1].write_bytes(content())
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, *map(str, paths)], capture_output=True, text=True, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    measured = dict(zip(FILES, answers, strict=True))
    assert {name: answer for name, answer in measured.items() if answer[1] > MAX_SECONDS} == {}
    assert {name: answer for name, answer in measured.items() if answer[2] > MAX_MEMORY} == {}
    assert measured["storages of their own"][0] == "pytorch"
    assert measured["deflated arrays"][0] == "npz"
    print(done.stdout)
