"""What a pickle program works on: a stack with marks, and a memo of remembered values; every use of it is checked."""

from app.errors import WeightFileError
from app.weightfiles.pickle_literals import PickleBytes

MAX_MARKS = 1000
CONTAINER_MEMORY = 96
ITEM_MEMORY = 16
ENTRY_MEMORY = 112
"""Of a dictionary's entry, and of a remembered value."""
VALUE_MEMORY = 16
"""Of a place on the stack; small numbers, which Python keeps once, take no more."""


class PickleStack:
    """The stack and the memo of one program; `source` counts the memory that they take."""

    def __init__(self, source: PickleBytes) -> None:
        self._source = source
        self._values: list[object] = []
        self._marks: list[int] = []
        self._fence = 0
        self._memo: dict[int, object] = {}

    def push(self, value: object, memory: int = VALUE_MEMORY) -> None:
        """Puts a value on top."""
        self._source.spend(memory)
        self._values.append(value)

    def pop(self) -> object:
        """Takes the value on top, which must stand above the last mark."""
        if len(self._values) <= self._fence:
            raise self._source.damaged()
        return self._values.pop()

    def top(self) -> object:
        """The value on top."""
        if len(self._values) <= self._fence:
            raise self._source.damaged()
        return self._values[-1]

    def pop_several(self, count: int) -> list[object]:
        """Takes so many values, the topmost last."""
        if len(self._values) - count < self._fence:
            raise self._source.damaged()
        values = self._values[-count:]
        del self._values[-count:]
        return values

    def mark(self) -> None:
        """Sets a mark."""
        if len(self._marks) == MAX_MARKS:
            raise WeightFileError("pickle.too-deep", limit=MAX_MARKS)
        self._fence = len(self._values)
        self._marks.append(self._fence)

    def pop_to_mark(self) -> list[object]:
        """Takes all values above the last mark, and the mark."""
        if not self._marks:
            raise self._source.damaged()
        begin = self._marks.pop()
        self._fence = self._marks[-1] if self._marks else 0
        values = self._values[begin:]
        del self._values[begin:]
        return values

    def drop(self) -> None:
        """Takes the value on top, or the mark if that is on top."""
        if self._marks and len(self._values) == self._fence:
            self.pop_to_mark()
        else:
            self.pop()

    def last(self) -> object:
        """The one value that is left at the end."""
        if len(self._values) != 1 or self._marks:
            raise self._source.damaged()
        return self._values.pop()

    def remember(self, index: int | None = None) -> None:
        """Remembers the value on top under that number, or under the next."""
        self._source.spend(ENTRY_MEMORY)
        self._memo[len(self._memo) if index is None else index] = self.top()

    def recall(self, index: int) -> None:
        """Puts a remembered value on top."""
        if index not in self._memo:
            raise self._source.damaged()
        self.push(self._memo[index])
