"""The tensors of a file by the parts of their names: branches with counts and bytes, for a tree and a map to scale."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_DEPTH = 24
"""Deeper parts of a name stay together."""


@dataclass(slots=True)
class Branch:
    """What begins with the same parts of a name; a leaf is one tensor."""

    part: str
    """Its own part of the name, with the dot in front of further ones."""
    path: str
    """The whole name up to here: that of a tensor, or what the names below begin with, its dot included."""
    tensors: int = 0
    bytes: int = 0
    place: int | None = None
    """Of the tensor in the file; None for a branch."""
    below: dict[str, "Branch"] = field(default_factory=dict)

    @property
    def children(self) -> Sequence["Branch"]:
        """In the file's order."""
        return tuple(self.below.values())


def tree_of(tensors: Iterable[Mapping[str, Any]]) -> Branch:
    """The tree of an outline's tensors; names are cut at their dots."""
    root = Branch("", "")
    for place, tensor in enumerate(tensors):
        name, size = str(tensor["name"]), int(tensor["bytes"])
        branch = root
        branch.tensors += 1
        branch.bytes += size
        *around, own = _parts(name)
        path = ""
        for part in around:
            path += part
            branch = branch.below.setdefault(part, Branch(part, path))
            branch.tensors += 1
            branch.bytes += size
        # A tensor called as a branch is called stands beside it; a name given twice is one leaf of both sizes.
        leaf = branch.below.setdefault(f"{own}\0", Branch(own, name, place=place))
        leaf.tensors += 1
        leaf.bytes += size
    return root


def find_branch(root: Branch, path: str) -> Branch | None:
    """The branch of that path; single children are not skipped. None where no name begins so."""
    branch, found = root, ""
    while found != path:
        step = next((child for child in branch.children if child.place is None and path.startswith(child.path)), None)
        if step is None:
            return None
        branch, found = step, step.path
    return branch


def _parts(name: str) -> list[str]:
    pieces = name.split(".")
    if len(pieces) > MOST_DEPTH:
        pieces = [*pieces[: MOST_DEPTH - 1], ".".join(pieces[MOST_DEPTH - 1 :])]
    return [*(f"{piece}." for piece in pieces[:-1]), pieces[-1]]
