"""Where a compression goes: one file, or a folder, which has its name when all of it is there.

A new folder is filled under `NAME.part` and renamed. One that is there already gets its files one by one at the end,
the weights first and what describes them last: no file system replaces a folder that is not empty.
"""

import contextlib
from pathlib import Path

from app.errors import Conflict, InvalidInput
from app.storage import PART_SUFFIX
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.part_file import PartFile, discard_part, let_others_read, part_path, publish, sync_folder

SUFFIXES = (".safetensors", ".gguf", ".onnx")
"""Of targets that are files."""
CONFIG_FILE = "config.json"
MANIFEST_FILE = "bitlens-manifest.json"
_CHUNK_BYTES = 4 << 20


class CompressTarget:
    """One output."""

    def __init__(self, target: Path, source: Path, suffix: str, *, force: bool) -> None:
        """Looks at what is there; `suffix` is that of the layout's files.

        Raises:
            InvalidInput: `output.is-source`, `output.suffix`.
            Conflict: `output.exists`, `output.not-writable`.
        """
        self.target = target
        self.is_folder = target.suffix not in SUFFIXES
        if not self.is_folder and target.suffix != suffix:
            raise InvalidInput("output.suffix", name=target.name, suffix=suffix)
        try:
            self._check(source, force=force)
            self._is_new = self.is_folder and not target.exists()
        except OSError:
            # A name that is too long, or a folder that may not be entered.
            raise Conflict("output.not-writable", name=target.name) from None
        self.place = target.with_name(target.name + PART_SUFFIX) if self._is_new else target
        """The file, or the folder in which files are written."""

    def beside(self, name: str) -> Path:
        """Where another file of the output is written."""
        return (self.place if self.is_folder else self.target.parent) / name

    @property
    def manifest(self) -> Path:
        """Where the manifest is written: by the file's own name where others may lie beside it."""
        return self.beside(MANIFEST_FILE if self.is_folder else f"{self.target.stem}.{MANIFEST_FILE}")

    def check_report(self, report: Path, source: Path) -> None:
        """Refuses a report that would be written over something else.

        Raises:
            InvalidInput: `output.is-report`.
            Conflict: `output.not-writable`, `output.no-folder`.
        """
        folder = self.target if self.is_folder else self.target.parent
        try:
            taken = {source.resolve(), self.target.resolve(), (folder / CONFIG_FILE).resolve()}
            if report.resolve() in taken:
                raise InvalidInput("output.is-report", name=report.name)
            if report.is_symlink() or _is_special(report):
                raise Conflict("output.not-writable", name=report.name)
            # The folder of the result may be about to be made.
            if not report.parent.is_dir() and report.parent.resolve() != folder.resolve():
                raise Conflict("output.no-folder", name=report.name)
        except OSError:
            raise Conflict("output.not-writable", name=report.name) from None

    def make_folder(self) -> None:
        """Makes the folder to write in, where it is a folder.

        Raises:
            Conflict: `output.no-folder`, `output.not-writable`.
        """
        if not self.is_folder:
            return
        try:
            self.place.mkdir(mode=0o755, exist_ok=True)
            if self._is_new:
                self._clear()
        except FileNotFoundError:
            raise Conflict("output.no-folder", name=self.target.name) from None
        except OSError:
            raise Conflict("output.not-writable", name=self.target.name) from None

    def give_name(self) -> None:
        """Gives a new folder its name, durably."""
        if self._is_new:
            sync_folder(self.place)
            try:
                self.place.rename(self.target)
            except OSError:
                raise Conflict("output.exists", name=self.target.name) from None
            sync_folder(self.target.parent)

    def discard(self, outputs: tuple[Path, ...]) -> None:
        """Removes what was written and has no name yet."""
        for output in outputs:
            with contextlib.suppress(OSError):
                discard_part(output)
        if self._is_new:
            with contextlib.suppress(OSError):
                self._clear()
                self.place.rmdir()

    def _clear(self) -> None:
        """Empties a folder of ours that a run left which was killed."""
        for entry in self.place.iterdir():
            if entry.is_file() or entry.is_symlink():
                entry.unlink()

    def _check(self, source: Path, *, force: bool) -> None:
        target = self.target
        if self._is_source(source):
            raise InvalidInput("output.is-source", name=target.name)
        if not force and (_holds_something(target) if self.is_folder else target.exists()):
            raise Conflict("output.exists", name=target.name)
        if (target.exists() and not target.is_dir()) if self.is_folder else _is_special(target):
            raise Conflict("output.not-writable", name=target.name)

    def _is_source(self, source: Path) -> bool:
        mine = self.target.resolve()
        theirs = source.resolve()
        if mine == theirs or (self.target.exists() and self.target.samefile(source)):
            return True
        # A file among those of the source's folder, or the folder of the source's file.
        return mine.parent == theirs if not self.is_folder else mine == theirs.parent


def copy_beside(ranges: ByteRanges, target: Path) -> None:
    """Copies a file of the source, durably."""
    buffer = memoryview(bytearray(min(_CHUNK_BYTES, max(ranges.size, 1))))
    with PartFile(target, create=True) as part:
        part.reserve(ranges.size)
        for offset in range(0, ranges.size, len(buffer)):
            view = buffer[: ranges.size - offset]
            ranges.read_into(view, offset)
            part.write(view, offset)
        part.sync()
    let_others_read(part_path(target))
    publish(target)


def _is_special(path: Path) -> bool:
    """Whether something is there that is no file: a folder, or a device or pipe, which a new file would replace."""
    return path.exists() and not path.is_file()


def _holds_something(folder: Path) -> bool:
    """Whether the folder's name is taken; a part that a killed run left behind does not count."""
    if not folder.is_dir():
        return folder.exists()
    return any(not entry.name.endswith(PART_SUFFIX) for entry in folder.iterdir())
