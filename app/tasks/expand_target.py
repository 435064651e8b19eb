"""Where an expansion goes: a file, or a folder with the model's other files; whole, or not there at all."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.errors import Conflict, InvalidInput
from app.tasks.expand_plan import MODEL_FILE, ExpandPlan
from app.tasks.shards import index_name
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.part_file import PartFile, discard_part, let_others_read, part_path, publish, write_durably
from app.weightfiles.source import Source

_CONFIG = "config.json"
_QUANTIZATION_KEYS = ("quantization_config", "quantization", "compression_config")
_DTYPE_KEYS = ("dtype", "torch_dtype")
_GONE = frozenset({_CONFIG, "quantize_config.json", "quant_config.json", "hf_quant_config.json"})
"""Files that say how the source is quantized, or are written anew."""
_CHUNK_BYTES = 4 << 20


class ExpandTarget:
    """One output of weights."""

    def __init__(self, target: Path, source: Path) -> None:
        self.is_folder = target.suffix != ".safetensors"
        self._target = target
        self._source = source
        self._companions: list[Path] = []

    def check(self, *, force: bool) -> None:
        """Refuses a target that is the source, or that is there.

        Raises:
            InvalidInput: `output.is-source`.
            Conflict: `output.exists`, `output.not-writable`.
        """
        target = self._target
        try:
            if self._is_source():
                raise InvalidInput("output.is-source", name=target.name)
            is_there = target.exists() or target.is_symlink()
            if is_there and self.is_folder != target.is_dir():
                raise Conflict("output.exists" if not force else "output.not-writable", name=target.name)
            if is_there and not force and not (self.is_folder and next(target.iterdir(), None) is None):
                raise Conflict("output.exists", name=target.name)
        except OSError:
            # A name that is too long, or a folder that may not be entered.
            raise Conflict("output.not-writable", name=target.name) from None

    def _is_source(self) -> bool:
        """Whether the source, or a file of its folder, would be written over."""
        source, target = self._source.resolve(), self._target.resolve()
        return target == source or (target == source.parent if self.is_folder else target.parent == source)

    @contextlib.contextmanager
    def writing(self, plan: ExpandPlan) -> Iterator[tuple[Path, ...]]:
        """The files whose parts are to be written: they get their names when all went well, else they are gone."""
        paths = tuple(self._target / file.name for file in plan.files) if self.is_folder else (self._target,)
        is_new = self.is_folder and not self._target.exists()
        self._make_folder()
        try:
            yield paths
            for path in paths:
                let_others_read(part_path(path))
                publish(path)
        except BaseException as error:
            # Another's part is not ours to remove.
            if not (isinstance(error, Conflict) and error.code == "output.busy"):
                for path in paths:
                    discard_part(path)
            if is_new:
                self._remove_folder()
            raise

    def _remove_folder(self) -> None:
        """As far as all in it is ours."""
        for path in self._companions:
            discard_part(path)
            path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._target.rmdir()

    def _make_folder(self) -> None:
        if not self.is_folder:
            return
        try:
            self._target.mkdir(mode=0o755, exist_ok=True)
        except FileNotFoundError:
            raise Conflict("output.no-folder", name=self._target.name) from None
        except OSError:
            raise Conflict("output.not-writable", name=self._target.name) from None

    def write_companions(self, source: Source, plan: ExpandPlan, dtype: str | None) -> None:
        """Writes what belongs beside weights in a folder: the tokenizer's files, the config, the index of shards."""
        if not self.is_folder:
            return
        for name, ranges in source.companions.items():
            if name not in _GONE and Path(name).name == name:
                _copy(ranges, self._companion(name))
        config = expanded_config(source.companion(_CONFIG), dtype)
        if config is not None:
            write_durably(self._companion(_CONFIG), config)
        if len(plan.files) > 1:
            index = {"metadata": {"total_size": plan.total_size}, "weight_map": dict(sorted(plan.weight_map.items()))}
            text = json.dumps(index, indent=2, ensure_ascii=False) + "\n"
            write_durably(self._companion(index_name(MODEL_FILE)), text)

    def _companion(self, name: str) -> Path:
        path = self._target / name
        self._companions.append(path)
        return path


def _copy(ranges: ByteRanges, path: Path) -> None:
    with PartFile(path, create=True) as part:
        part.reserve(ranges.size)
        buffer = bytearray(min(_CHUNK_BYTES, ranges.size))
        for first in range(0, ranges.size, _CHUNK_BYTES):
            view = memoryview(buffer)[: ranges.size - first]
            ranges.read_into(view, first)
            part.write(view, first)
        part.sync()
    let_others_read(part_path(path))
    publish(path)


def expanded_config(text: bytes | None, dtype: str | None) -> str | None:
    """The model's config without its quantization, with the dtype that all its floats have now; None without one."""
    try:
        config: Any = json.loads(text or b"null")
    except (ValueError, RecursionError):
        return None
    if not isinstance(config, dict):
        return None
    for key in _QUANTIZATION_KEYS:
        config.pop(key, None)
    if dtype is not None:
        keys = [key for key in _DTYPE_KEYS if key in config] or [_DTYPE_KEYS[0]]
        config.update(dict.fromkeys(keys, dtype))
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"
