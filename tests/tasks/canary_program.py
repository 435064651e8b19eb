"""Writes one source in every scheme and layout, expands each, and prints the digests: `canary_program.py SOURCE`."""

import hashlib
import sys
import tempfile
from pathlib import Path

import torch

from app.errors import AppError
from app.layouts.table import LAYOUTS, layouts_of
from app.schemes.entries import SchemeEntry
from app.tasks.compress_file import compress_file
from app.tasks.compress_options import SCHEMES, CompressOptions
from app.tasks.expand_file import expand_file


def words_of(entry: SchemeEntry) -> tuple[str, ...]:
    asymmetric = (":asymmetric",) if "symmetric" in entry.options else ()
    nested = (":double-quant",) if "double_quant" in entry.options else ()
    # The search for the best scales is the same for all options; absmax is quicker.
    return ("", *(f"{words}:absmax" if "scale" in entry.options else words for words in (*asymmetric, *nested)))


def digests(source: Path, folder: Path, entry: SchemeEntry, layout: str) -> None:
    for words in words_of(entry):
        target, plain = folder / f"out{LAYOUTS[layout].suffix}", folder / "plain.safetensors"
        told = f"{entry.name}{words} {layout}"
        try:
            compress_file(source, target, CompressOptions(scheme=entry.name + words, layout=layout), force=True)
        except AppError as error:
            print(told, error.code)
            continue
        expand_file(target, plain, force=True)
        for path in (target, plain):
            print(told, path.stem, hashlib.sha256(path.read_bytes()).hexdigest())


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        for entry in SCHEMES:
            for layout in layouts_of(entry):
                digests(Path(sys.argv[1]), Path(name), entry, layout)


if __name__ == "__main__":
    main()
