"""One file on its way in: counted against the limits while it arrives, then checked by a process of its own."""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from app.errors import Conflict, StorageFull, TooLarge, WeightFileError
from app.jobs.failures import error_from_json
from app.jobs.own_program import import_path, own_module
from app.storage import Storage, StoredBytes, record_of
from app.tasks.file_outline import Outlined, outline_document

CHECK_SECONDS = 30
FRAMING_BYTES = 16 * 1024
"""What a multipart body may hold beside the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """In bytes, but for the number of files."""

    max_upload_bytes: int
    max_owner_bytes: int
    max_owner_files: int


class Upload:
    """Takes the bytes of one file; nothing stays unless `commit` has returned."""

    def __init__(
        self, storage: Storage, key: str, limits: UploadLimits, *, owner_bytes_left: int, expected_bytes: int
    ) -> None:
        """Refuses at once what cannot fit; `expected_bytes` is only a hint, the bytes are counted all the same."""
        self.key = key
        self._storage = storage
        self._max_bytes = limits.max_upload_bytes
        self._max_owner_bytes = limits.max_owner_bytes
        self._owner_bytes_left = owner_bytes_left
        self._received = 0
        self._ensure_within(expected_bytes - FRAMING_BYTES)
        if expected_bytes > storage.free_bytes():
            raise StorageFull("storage.full")
        self._writer = storage.writer(key)

    @property
    def file_id(self) -> str:
        """The id that the key was made of."""
        file_id = record_of(self.key)
        assert file_id is not None
        return file_id

    def write(self, data: bytes) -> None:
        """Appends.

        Raises:
            TooLarge, Conflict, StorageFull: a limit is passed.
        """
        self._received += len(data)
        self._ensure_within(self._received)
        self._writer.write(data)

    def commit(self) -> StoredBytes:
        """Makes what was received durable."""
        return self._writer.commit()

    def abort(self) -> None:
        """Removes what was received, unless it was committed."""
        self._writer.abort()

    def check(self) -> dict[str, Any] | None:
        """Is it a weight file that can be read? Gives its outline; None for a header too long to be told now.

        Raises:
            WeightFileError: it is not, and why.
        """
        return check_in_a_process(self._storage.path(self.key))

    def _ensure_within(self, size: int) -> None:
        if size > self._max_bytes:
            raise TooLarge("upload.too-large", limit=self._max_bytes)
        if size > self._owner_bytes_left:
            raise Conflict("upload.owner-full", limit=self._max_owner_bytes)


def check_in_a_process(path: Path) -> dict[str, Any] | None:
    """Reads the header of a hostile file where nothing but that process can suffer, and gives its outline.

    Raises:
        WeightFileError: what the process found, or `file.check-failed` when it died or took too long.
    """
    command = [*own_module("app.weightfiles.checking"), str(path)]
    environment = {**os.environ, "PYTHONPATH": import_path()}
    try:
        # The command is ours and the path is made of an id, never of a name that was typed.
        ended = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, timeout=CHECK_SECONDS, check=False
        )
        answer = json.loads(ended.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise WeightFileError("file.check-failed") from error
    if not answer["ok"]:
        raise error_from_json(answer["error"])
    return _outline_of(answer)


def _outline_of(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    if answer["entries"] is None:
        return None
    tensors = (Outlined(name, dtype, tuple(shape), size, prod(shape)) for name, dtype, shape, size in answer["entries"])
    return outline_document(answer["kind"], answer["bytes"], answer["metadata"] or {}, tensors)


def shown_name(name: str, limit: int = 120) -> str:
    """A name fit to be shown: its last part, without control and direction characters, and not endless."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    clean = "".join(character for character in last if character.isprintable()).strip()
    return clean[:limit] or "weights.safetensors"
