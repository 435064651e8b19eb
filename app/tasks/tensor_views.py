"""What is known of single tensors of an owner's files and results, and looks at parts of them."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Busy, NotFound
from app.jobs.client import JobClient, after_id
from app.jobs.states import JobState, State
from app.records import FileRecord, JobRecord, Records
from app.storage import Storage
from app.tasks.file_tree import Branch, tree_of
from app.tasks.look_window import LookWindow

MOST_LOOKS = 20
"""Waiting or running, of all owners."""
_CACHED_TENSORS = 150_000
"""Of all outlines that are kept in memory: some 150 MB."""


_ANALYSED = -1
"""The mark of an outline that does not change any more; of others it is the hash of their text."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a file holds, without figures that only one tensor's page shows. `tree` has its tensors by name."""

    document: Mapping[str, Any]
    tree: Branch
    places: Mapping[str, int]
    """Where a tensor of a name stands in the list."""
    is_analysed: bool

    @property
    def tensors(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.document["tensors"]
        return found


class OutlineCache:
    """The outlines that were looked at last, each with a mark: where the mark has changed, it is to be read again."""

    def __init__(self, most_tensors: int = _CACHED_TENSORS) -> None:
        self._most_tensors = most_tensors
        self._kept: OrderedDict[str, tuple[int, Outline]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, file_id: str, mark: int) -> Outline | None:
        """None where it is to be read again."""
        with self._lock:
            kept_mark, found = self._kept.get(file_id, (None, None))
            if kept_mark != mark:
                return None
            self._kept.move_to_end(file_id)
            return found

    def keep(self, file_id: str, mark: int, outline: Outline) -> None:
        """Keeps it, and lets go of older ones."""
        with self._lock:
            self._kept[file_id] = (mark, outline)
            self._kept.move_to_end(file_id)
            while len(self._kept) > 1 and self._tensors() > self._most_tensors:
                self._kept.popitem(last=False)

    def _tensors(self) -> int:
        return sum(len(outline.tensors) for _, outline in self._kept.values())


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a part of a tensor: its document once it is there, until then how far it is."""

    document: Mapping[str, Any] | None
    state: JobState


class TensorViews:
    """The part of the workspace about tensors; it finds files and jobs as the workspace does."""

    _records: Records
    _storage: Storage
    _jobs: JobClient
    _outlines: OutlineCache

    def _file_record(self, owner: str | None, file_id: str) -> FileRecord:
        if owner is None:
            raise NotFound("record.unknown")
        return self._records.find_file(owner, file_id)

    def outline(self, owner: str | None, file_id: str) -> Outline | None:
        """What the header says, and once it is analysed the figures of every row; None before the header is known.

        Raises:
            NotFound: `record.unknown`.
        """
        record = self._file_record(owner, file_id)
        if not record.is_analysed:
            text = self._records.outline(record.id)
            mark = hash(text)
            if text is None or (kept := self._outlines.get(record.id, mark)) is not None:
                return None if text is None else kept
            document: Mapping[str, Any] | None = json.loads(text)
        else:
            mark = _ANALYSED
            if (kept := self._outlines.get(record.id, mark)) is not None:
                return kept
            document = self._records.analysis(record.id)
        if document is None:
            return None
        outline = _outline(document, is_analysed=record.is_analysed)
        self._outlines.keep(record.id, mark, outline)
        return outline

    def tensor_figures(self, owner: str | None, file_id: str, places: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        """The figures of some rows, as far as they are known.

        Raises:
            NotFound: `record.unknown`.
        """
        return self._records.tensor_figures(self._file_record(owner, file_id).id, places)

    def count_known(self, owner: str | None, file_id: str) -> int:
        """Of how many tensors the figures are known.

        Raises:
            NotFound: `record.unknown`.
        """
        return self._records.count_tensors(self._file_record(owner, file_id).id)

    def tensor(self, owner: str | None, file_id: str, name: str) -> Mapping[str, Any]:
        """All that is known of one tensor.

        Raises:
            NotFound: `record.unknown`, `look.no-tensor`.
        """
        outline = self.outline(owner, file_id)
        if outline is None or name not in outline.places:
            raise NotFound("look.no-tensor", tensor=name[:200])
        place = outline.places[name]
        return {**outline.tensors[place], **(self._records.tensor(file_id, place) or {})}

    def result_tensor(self, owner: str | None, job_id: str, name: str) -> Mapping[str, Any] | None:
        """What is known of one tensor of a result; None while, or if, nothing is.

        Raises:
            NotFound: `record.unknown`.
        """
        if owner is None:
            raise NotFound("record.unknown")
        record: JobRecord = self._records.find_job(owner, job_id)
        return self._records.result_tensor(record.id, name)

    def is_reading_result(self, owner: str | None, job_id: str) -> bool:
        """Whether the result of a job is still being analysed.

        Raises:
            NotFound: `record.unknown`.
        """
        if owner is None:
            raise NotFound("record.unknown")
        state = self._jobs.state(after_id(self._records.find_job(owner, job_id).id))
        return not state.state.is_final

    def look(self, owner: str | None, file_id: str, name: str, window: LookWindow) -> Look:
        """A look that was made before, or else one that is begun; asking again asks how far it is.

        Raises:
            NotFound: `record.unknown`.
            Busy: `look.too-many`.
        """
        record = self._file_record(owner, file_id)
        arguments = {"tensor": name, "window": window.to_json()}
        digest = hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()[:32]
        key = f"{record.key.rpartition('/')[0]}/look-{digest}.json"
        look_id = f"{record.id}.{digest}"
        if self._storage.exists(key):
            with self._storage.open(key) as file:
                return Look(json.loads(file.read()), JobState(State.DONE))
        state = self._jobs.state(look_id)
        if state.state is State.DONE:  # it was made once, and forgotten for younger ones
            self._jobs.forget([look_id])
        elif state.state is not State.EXPIRED:
            return Look(None, state)
        if self._jobs.unfinished_looks() >= MOST_LOOKS:
            raise Busy("look.too-many", limit=MOST_LOOKS)
        self._jobs.start_look(look_id, record.key, key, arguments)
        return Look(None, JobState(State.QUEUED))


def _outline(document: Mapping[str, Any], *, is_analysed: bool) -> Outline:
    tensors = [{**tensor, "place": place} for place, tensor in enumerate(document["tensors"])]
    places = {tensor["name"]: place for place, tensor in enumerate(tensors)}
    return Outline({**document, "tensors": tensors}, tree_of(tensors), places, is_analysed)
