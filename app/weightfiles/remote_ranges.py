"""A file of an object store or a web server as byte ranges, through fsspec; for the command line only.

What opening asks for is small and near together, so blocks are kept; long reads go past them.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from app.errors import WeightFileError
from app.weightfiles.announced_places import AnnouncedPlaces
from app.weightfiles.strict_json import shown

BLOCK_BYTES = 64 << 10
MAX_BLOCKS = 64
ATTEMPTS = 3
_FIRST_PAUSE = 0.2
_CONCURRENT = frozenset({"http", "https", "hf", "s3", "s3a"})
"""Where each open file is a thing of its own, and a request takes long."""
_CHANGES = ("size", "ETag", "etag", "blob_id", "LastModified", "last_modified", "Last-Modified", "mtime", "created")
"""What stores tell of an object that is different once it has been written again."""

T = TypeVar("T")


class RemoteSystem(Protocol):
    """What is used of an fsspec file system."""

    @property
    def protocol(self) -> str | tuple[str, ...]: ...
    def info(self, path: str) -> Mapping[str, Any]: ...
    def ls(self, path: str, detail: bool = True) -> list[Mapping[str, Any]]: ...  # noqa: FBT001, FBT002 - fsspec's own
    def open(self, path: str, mode: str, **options: Any) -> Any: ...
    def invalidate_cache(self, path: str | None = None) -> None: ...


class RemoteFile:
    """One object. Each request is tried three times; there are as many as there are gaps between the reads."""

    def __init__(self, system: RemoteSystem, path: str, name: str, state: Mapping[str, Any]) -> None:
        """Opens; `state` is what the store says of it.

        Raises:
            WeightFileError: `remote.no-ranges`, `remote.*`.
        """
        self.name = name
        size = state.get("size")
        if not isinstance(size, int) or state.get("partial") is False:
            raise WeightFileError("remote.no-ranges", name=shown(name))
        self.size = size
        self._state = _changing(state)
        self._system = system
        self._path = path
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._announced = AnnouncedPlaces()
        self._file = self._open()

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """See `ByteRanges`."""
        if offset + len(buffer) > self.size:
            raise WeightFileError("file.shrank")
        if self._announced.read_into(buffer, offset):
            return
        if len(buffer) > BLOCK_BYTES * MAX_BLOCKS // 4:
            buffer[:] = self._fetch(offset, len(buffer))
            return
        first, last = offset // BLOCK_BYTES, (offset + len(buffer) - 1) // BLOCK_BYTES
        self._make_sure_of(first, last)
        for index in range(first, last + 1):
            block = self._blocks[index]
            begin = index * BLOCK_BYTES
            low, high = max(offset, begin), min(offset + len(buffer), begin + len(block))
            buffer[low - offset : high - offset] = block[low - begin : high - begin]

    def announce(self, places: Sequence[tuple[int, int]]) -> None:
        """See `FarRanges`: several requests are on their way at a time, so that opening does not wait for each."""
        protocols = self._system.protocol
        if _CONCURRENT.intersection((protocols,) if isinstance(protocols, str) else protocols):
            self._announced.get(places, self.size, self._fetch_apart)

    def ensure_unchanged(self) -> None:
        """See `ByteRanges`."""
        self._system.invalidate_cache()
        if _changing(asked(lambda: self._system.info(self._path), self.name)) != self._state:
            raise WeightFileError("file.changed")

    def close(self) -> None:
        """See `ByteRanges`."""
        self._file.close()

    def _make_sure_of(self, first: int, last: int) -> None:
        """Has those blocks; what is missing in one run comes with one request."""
        missing = [index for index in range(first, last + 1) if index not in self._blocks]
        while missing:
            run = 1
            while run < len(missing) and missing[run] == missing[0] + run:
                run += 1
            begin = missing[0] * BLOCK_BYTES
            content = self._fetch(begin, min(run * BLOCK_BYTES, self.size - begin))
            for place, index in enumerate(missing[:run]):
                self._blocks[index] = content[place * BLOCK_BYTES : (place + 1) * BLOCK_BYTES]
            del missing[:run]
        for index in range(first, last + 1):
            self._blocks.move_to_end(index)
        while len(self._blocks) > MAX_BLOCKS:
            self._blocks.popitem(last=False)

    def _open(self) -> Any:
        return asked(lambda: self._system.open(self._path, "rb", block_size=BLOCK_BYTES, cache_type="none"), self.name)

    def _fetch_apart(self, runs: Sequence[tuple[int, int]]) -> list[bytes]:
        """Runs through an open file of its own, which nobody else moves."""
        file = self._open()
        try:
            return [self._fetch(begin, count, file) for begin, count in runs]
        finally:
            file.close()

    def _fetch(self, begin: int, count: int, file: Any = None) -> bytes:
        source = self._file if file is None else file

        def read() -> bytes:
            source.seek(begin)
            content: bytes = source.read(count)
            return content

        content = asked(read, self.name)
        if len(content) != count:
            raise WeightFileError("file.shrank")
        return content


def asked(question: Callable[[], T], name: str) -> T:
    """The answer of a store, which may need to be asked again.

    Raises:
        WeightFileError: `remote.not-found`, `remote.forbidden`, `remote.no-ranges`, `remote.failed`.
    """
    pause = _FIRST_PAUSE
    for attempt in range(ATTEMPTS):
        try:
            return question()
        except FileNotFoundError:
            raise WeightFileError("remote.not-found", name=shown(name)) from None
        except PermissionError:
            raise WeightFileError("remote.forbidden", name=shown(name)) from None
        except ValueError:  # fsspec's word for a web server that answers with the whole file
            raise WeightFileError("remote.no-ranges", name=shown(name)) from None
        except Exception as error:
            if attempt == ATTEMPTS - 1:
                reason = shown(str(error) or type(error).__name__)
                raise WeightFileError("remote.failed", name=shown(name), reason=reason) from error
        time.sleep(pause)
        pause *= 2
    raise AssertionError("the last attempt returns or raises")


def _changing(state: Mapping[str, Any]) -> dict[str, Any]:
    return {key: state[key] for key in _CHANGES if key in state}
