"""The tree of a file's names and its map to scale, as the page shows them: bounded, with links to what is left out."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from app.tasks.file_tree import Branch, find_branch
from app.web.pages.file_treemap import SIZES, MapMark, tree_map
from app.web.quantities import count_text, share_text, size_text
from app.weightfiles.strict_json import shown

MOST_NODES = 240
"""Of the tree on one page; what is below further branches has a page of its own."""


@dataclass(frozen=True, slots=True)
class TreeNode:
    """One line of the tree. `below` is empty for a tensor, and for a branch whose parts are on another page."""

    text: str
    href: str
    is_tensor: bool
    count: int
    """Of tensors; `tensors` is the same in words."""
    tensors: str
    size: str
    permille: int
    """Of the bytes of what the tree begins with."""
    below: tuple["TreeNode", ...]


@dataclass(frozen=True, slots=True)
class MapRectangle:
    """One rectangle of the map; `title` says all of it."""

    x: float
    y: float
    width: float
    height: float
    href: str
    role: str
    label: str
    second: str
    title: str


@dataclass(frozen=True, slots=True)
class FileMap:
    """The map in one size."""

    size: str
    width: int
    height: int
    rectangles: tuple[MapRectangle, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step of the way from the whole file to the branch that is looked at."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class Branches:
    """The tree and the maps below one branch."""

    path: str
    """What the names begin with; empty for the whole file."""
    crumbs: tuple[Crumb, ...]
    nodes: tuple[TreeNode, ...]
    left_out: int
    """Parts that the tree has no room for; the table has them."""
    maps: tuple[FileMap, ...]
    size: str
    tensors: str
    largest: str
    """The name of the largest part."""
    largest_share: str


def branches_of(root: Branch, path: str, href: str, tensors: Sequence[Mapping[str, Any]]) -> Branches:
    """What is below the branch of that path, or all where there is none of that path; `href` is the file's page."""
    found = find_branch(root, path) or root
    links = _Links(href, found.bytes)
    maps = tuple(_map(found, size, links, tensors) for size in SIZES)
    largest = max(found.children, key=lambda child: child.bytes, default=found)
    return Branches(
        path=found.path,
        crumbs=_crumbs(found.path, links),
        nodes=_nodes(found, links),
        left_out=max(len(found.below) - MOST_NODES, 0),
        maps=maps,
        size=size_text(found.bytes),
        tensors=count_text(found.tensors),
        largest=visible(largest.path),
        largest_share=share_text(largest.bytes, found.bytes),
    )


def visible(name: str) -> str:
    """A name with what is invisible escaped."""
    return shown(name, limit=len(name))


@dataclass(frozen=True, slots=True)
class _Links:
    href: str
    bytes: int

    def of(self, branch: Branch) -> str:
        if branch.place is not None:
            return f"{self.href}/tensors?{urlencode({'name': branch.path}, errors='surrogatepass')}"
        return self.under(branch.path)

    def under(self, path: str) -> str:
        query = f"?{urlencode({'under': path}, errors='surrogatepass')}" if path else ""
        return f"{self.href}{query}"


def _crumbs(path: str, links: _Links) -> tuple[Crumb, ...]:
    parts = [f"{part}." for part in path.split(".")[:-1]]
    return tuple(Crumb(visible(part), links.under("".join(parts[: place + 1]))) for place, part in enumerate(parts))


def _nodes(root: Branch, links: _Links) -> tuple[TreeNode, ...]:
    opened = _opened(root)

    def node(branch: Branch, before: str = "") -> TreeNode:
        only = branch.children
        if branch.place is None and len(only) == 1:  # a single child stands in its parent's line
            return node(only[0], before + branch.part)
        below = tuple(node(child) for child in branch.children) if id(branch) in opened else ()
        return TreeNode(
            text=visible(before + branch.part),
            href=links.of(branch),
            is_tensor=branch.place is not None,
            count=branch.tensors,
            tensors=count_text(branch.tensors),
            size=size_text(branch.bytes),
            permille=round(1000 * branch.bytes / links.bytes) if links.bytes else 0,
            below=below,
        )

    shown_children = root.children[:MOST_NODES]
    return tuple(node(child) for child in shown_children)


def _opened(root: Branch) -> set[int]:
    """The branches whose parts are on the page: level by level, as long as there is room."""
    opened: set[int] = set()
    count = len(root.children)
    waiting = deque(root.children)
    while waiting:
        branch = waiting.popleft()
        if branch.place is None and count + len(branch.below) <= MOST_NODES:
            opened.add(id(branch))
            count += len(branch.below)
            waiting.extend(branch.children)
    return opened


def _map(root: Branch, size: str, links: _Links, tensors: Sequence[Mapping[str, Any]]) -> FileMap:
    found = tree_map(root, size, _names_of)
    return FileMap(
        size=size,
        width=found.width,
        height=found.height,
        rectangles=tuple(_rectangle(mark, links, tensors) for mark in found.marks),
        left_out=found.left_out,
    )


def _names_of(branch: Branch) -> tuple[str, str]:
    """`q_proj` and `model.layers.3.self_attn`: nearly every tensor's own part is `weight`, which tells nothing."""
    name = visible(branch.path.removesuffix(".").removesuffix(".weight"))
    around, _, own = name.rpartition(".")
    return own, around.removeprefix("model.").removeprefix("layers.")


def _rectangle(mark: MapMark, links: _Links, tensors: Sequence[Mapping[str, Any]]) -> MapRectangle:
    branch, at = mark.branch, mark.at
    return MapRectangle(
        x=at.x,
        y=at.y,
        width=at.width,
        height=at.height,
        href=links.of(branch),
        role=_role(branch, tensors),
        label=mark.label,
        second=mark.second,
        title=f"{visible(branch.path)} · {size_text(branch.bytes)} · {share_text(branch.bytes, links.bytes)}",
    )


def _role(branch: Branch, tensors: Sequence[Mapping[str, Any]]) -> str:
    """Of a tensor; of a branch none."""
    return str(tensors[branch.place].get("role", "other")) if branch.place is not None else "branch"
