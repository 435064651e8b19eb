"""Weights at an address such as `hf://org/model` or `s3://bucket/file`, opened by ranges; for the command line only."""

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from fsspec.core import url_to_fs

from app.errors import WeightFileError
from app.weightfiles.byte_ranges import ByteRanges
from app.weightfiles.listing import MAX_FILES
from app.weightfiles.remote_ranges import RemoteFile, RemoteSystem, asked
from app.weightfiles.source import Source, open_file, open_listing
from app.weightfiles.strict_json import shown

_ADDRESS = re.compile(r"([a-z][a-z0-9]*)://.+", re.ASCII | re.DOTALL)
_LIBRARIES = {
    "http": "bitlens[http]",
    "https": "bitlens[http]",
    "hf": "bitlens[hf]",
    "s3": "bitlens[s3]",
    "gs": "gcsfs",
    "az": "adlfs",
    "memory": "",
}
"""The kinds of address that are opened, and what pip has to install for each."""
_CANNOT_LIST = {"http", "https"}


def open_remote(address: str) -> Source:
    """Opens what an address names, in the time of its headers.

    Raises:
        WeightFileError: `remote.*`, or what is wrong with the weights.
    """
    match = _ADDRESS.fullmatch(address)
    scheme = match[1] if match else ""
    if scheme not in _LIBRARIES or "::" in address:
        raise WeightFileError("remote.scheme", address=shown(address), known=", ".join(sorted(_LIBRARIES)))
    try:
        system, path = url_to_fs(address)
    except ImportError:
        raise WeightFileError("remote.no-library", scheme=scheme, library=_LIBRARIES[scheme]) from None
    name = shown(address)
    state = asked(lambda: system.info(path), name)
    if state.get("type") == "directory":
        return open_listing(RemoteListing(system, path, scheme))
    folder, _, base = path.rstrip("/").rpartition("/")
    ranges = RemoteFile(system, path, base.partition("?")[0] or base, state)
    try:
        return open_file(ranges, RemoteListing(system, folder, scheme))
    except BaseException:
        ranges.close()
        raise


class RemoteListing:
    """The objects below one prefix, not deeper."""

    def __init__(self, system: RemoteSystem, folder: str, scheme: str) -> None:
        self._system = system
        self._folder = folder
        self._scheme = scheme
        self._states: Mapping[str, Mapping[str, Any]] | None = None

    @property
    def sizes(self) -> Mapping[str, int]:
        """See `Listing`.

        Raises:
            WeightFileError: `remote.no-listing`, `remote.*`, `folder.too-many-files`.
        """
        return MappingProxyType({name: int(state.get("size") or 0) for name, state in self._look().items()})

    def open(self, name: str, *, hard_links: bool = True) -> ByteRanges:  # noqa: ARG002 - stores have no links
        """See `Listing`.

        Raises:
            WeightFileError: `remote.*`, `folder.*`.
        """
        state = self._look()
        if name not in state:
            raise WeightFileError("folder.no-such-file", name=shown(name))
        return RemoteFile(self._system, str(state[name]["name"]), name, state[name])

    def close(self) -> None:
        """See `Listing`: nothing."""

    def _look(self) -> Mapping[str, Mapping[str, Any]]:
        if self._scheme in _CANNOT_LIST:
            raise WeightFileError("remote.no-listing", scheme=self._scheme)
        if self._states is None:
            found = asked(lambda: self._system.ls(self._folder, detail=True), os.path.basename(self._folder))  # noqa: PTH119
            if len(found) > MAX_FILES:
                raise WeightFileError("folder.too-many-files", name=shown(self._folder), limit=MAX_FILES)
            files = {str(state["name"]).rpartition("/")[2]: state for state in found if state.get("type") == "file"}
            self._states = {name: files[name] for name in sorted(files) if name and not name.startswith(".")}
        return self._states
