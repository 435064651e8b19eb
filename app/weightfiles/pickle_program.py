"""Pickle programs read as data: a small machine of our own that calls nothing and imports nothing.

What a program names or asks for is answered by a vocabulary, which knows a handful of names; everything else is
refused. There is no recursion, and operations and memory are bounded, whatever the program says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from app.errors import WeightFileError
from app.weightfiles.pickle_literals import LITERALS, PickleBytes
from app.weightfiles.pickle_stack import CONTAINER_MEMORY, ENTRY_MEMORY, ITEM_MEMORY, PickleStack

MAX_OPERATIONS = 1_000_000
_STOP = ord(".")
_HIGHEST_PROTOCOL = 5
_KEY_TYPES: Final = (str, int, bool, float, bytes, type(None))
_MAX_KEY = 1 << 60
"""Larger integers may be chosen so that all of them fall into one slot of a dictionary."""


class Vocabulary(Protocol):
    """What a program may name and ask for."""

    def find(self, module: str, name: str) -> object:
        """The value that stands for a global; raises for one that is not known."""
        ...

    def call(self, function: object, arguments: tuple[object, ...]) -> object:
        """What stands for the result of a call; nothing is called."""
        ...

    def load(self, identifier: object) -> object:
        """What stands for an object that is kept outside the program."""
        ...

    def build(self, built: object, state: object) -> None:
        """Takes the state that the program gives an object; raises if that object can have none."""
        ...


@dataclass(frozen=True, slots=True)
class _Run:
    source: PickleBytes
    stack: PickleStack
    vocabulary: Vocabulary


def run_program(content: bytes, vocabulary: Vocabulary, at: int = 0) -> tuple[object, int]:
    """The one value that the program at that offset leaves, and where the program ends.

    Raises:
        WeightFileError: `pickle.*`, or what the vocabulary raises.
    """
    source = PickleBytes(content, at)
    stack = PickleStack(source)
    run = _Run(source, stack, vocabulary)
    for _ in range(MAX_OPERATIONS):
        if source.at >= len(content):
            raise source.damaged()
        opcode = content[source.at]
        source.at += 1
        literal = LITERALS.get(opcode)
        if literal is not None:
            stack.push(literal(source))
        elif opcode == _STOP:
            return stack.last(), source.at
        else:
            operation = _OPERATIONS.get(opcode)
            if operation is None:
                raise WeightFileError("pickle.opcode", opcode=f"0x{opcode:02x}", position=source.at - 1)
            operation(run)
    raise WeightFileError("pickle.too-costly", position=source.at)


def _protocol(run: _Run) -> None:
    if run.source.number(1) > _HIGHEST_PROTOCOL:
        raise run.source.damaged()


def _frame(run: _Run) -> None:
    length = run.source.number(8)
    if run.source.at + length > len(run.source.content):
        raise run.source.damaged()


def _new_list(run: _Run, items: list[object]) -> None:
    run.stack.push(items, CONTAINER_MEMORY + ITEM_MEMORY * len(items))


def _new_tuple(run: _Run, items: list[object]) -> None:
    run.stack.push(tuple(items), CONTAINER_MEMORY + ITEM_MEMORY * len(items))


def _new_dict(run: _Run, items: list[object]) -> None:
    run.stack.push({}, CONTAINER_MEMORY)
    _set_items(run, items)


def _set_items(run: _Run, items: list[object]) -> None:
    target = run.stack.top()
    if not isinstance(target, dict) or len(items) % 2:
        raise run.source.damaged()
    run.source.spend(ENTRY_MEMORY * (len(items) // 2))
    for index in range(0, len(items), 2):
        key = items[index]
        if type(key) not in _KEY_TYPES or (isinstance(key, int) and not -_MAX_KEY < key < _MAX_KEY):
            raise WeightFileError("pickle.key", position=run.source.at)
        target[key] = items[index + 1]


def _append(run: _Run, items: list[object]) -> None:
    target = run.stack.top()
    if type(target) is not list:
        raise run.source.damaged()
    run.source.spend(ITEM_MEMORY * len(items))
    target.extend(items)


def _typed_index(run: _Run) -> int:
    line = run.source.line()
    if not line.isdigit() or len(line) > 10:
        raise run.source.damaged()
    return int(line)


def _typed_global(run: _Run) -> None:
    module, name = run.source.line(), run.source.line()
    run.stack.push(run.vocabulary.find(module.decode("utf-8", "replace"), name.decode("utf-8", "replace")))


def _stacked_global(run: _Run) -> None:
    module, name = run.stack.pop_several(2)
    if not (isinstance(module, str) and isinstance(name, str)):
        raise run.source.damaged()
    run.stack.push(run.vocabulary.find(module, name))


def _reduce(run: _Run) -> None:
    function, arguments = run.stack.pop_several(2)
    if not isinstance(arguments, tuple):
        raise run.source.damaged()
    run.stack.push(run.vocabulary.call(function, arguments), CONTAINER_MEMORY)


def _build(run: _Run) -> None:
    state = run.stack.pop()
    run.vocabulary.build(run.stack.top(), state)


def _load(run: _Run) -> None:
    run.stack.push(run.vocabulary.load(run.stack.pop()), CONTAINER_MEMORY)


def _drop_to_mark(run: _Run) -> None:
    run.stack.pop_to_mark()


_OPERATIONS: dict[int, Callable[[_Run], None]] = {
    0x80: _protocol,
    0x95: _frame,
    ord("("): lambda run: run.stack.mark(),
    ord("0"): lambda run: run.stack.drop(),
    ord("1"): _drop_to_mark,
    ord("2"): lambda run: run.stack.push(run.stack.top()),
    ord("]"): lambda run: _new_list(run, []),
    ord("l"): lambda run: _new_list(run, run.stack.pop_to_mark()),
    ord("a"): lambda run: _append(run, run.stack.pop_several(1)),
    ord("e"): lambda run: _append(run, run.stack.pop_to_mark()),
    ord("t"): lambda run: _new_tuple(run, run.stack.pop_to_mark()),
    0x85: lambda run: _new_tuple(run, run.stack.pop_several(1)),
    0x86: lambda run: _new_tuple(run, run.stack.pop_several(2)),
    0x87: lambda run: _new_tuple(run, run.stack.pop_several(3)),
    ord("}"): lambda run: _new_dict(run, []),
    ord("d"): lambda run: _new_dict(run, run.stack.pop_to_mark()),
    ord("s"): lambda run: _set_items(run, run.stack.pop_several(2)),
    ord("u"): lambda run: _set_items(run, run.stack.pop_to_mark()),
    ord("p"): lambda run: run.stack.remember(_typed_index(run)),
    ord("q"): lambda run: run.stack.remember(run.source.number(1)),
    ord("r"): lambda run: run.stack.remember(run.source.number(4)),
    0x94: lambda run: run.stack.remember(),
    ord("g"): lambda run: run.stack.recall(_typed_index(run)),
    ord("h"): lambda run: run.stack.recall(run.source.number(1)),
    ord("j"): lambda run: run.stack.recall(run.source.number(4)),
    ord("c"): _typed_global,
    ord("i"): _typed_global,
    0x93: _stacked_global,
    ord("R"): _reduce,
    ord("b"): _build,
    ord("Q"): _load,
}
"""By opcode. `i` (INST) is known for the name that it carries; the program is refused at its end if not before."""
