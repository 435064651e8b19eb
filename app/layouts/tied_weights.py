"""Weights that are stored once under two names: the file's metadata tells which name was dropped for which."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from app.errors import WeightFileError
from app.weightfiles.file_header import check_name
from app.weightfiles.strict_json import shown

TIED_KEY = "tied_tensors"


def tied_names(metadata: Mapping[str, Any], names: Collection[str]) -> dict[str, str]:
    """The dropped names and the kept ones; `names` are those of the weights that are there.

    Raises:
        WeightFileError: `layout.tied-unreadable`, it is no JSON object of names; `layout.tied-unknown`, a kept one that
            is not there; `layout.tied-twice`, a dropped one that is; `tensor.*`, a name that cannot be one.
    """
    properties = metadata.get("metadata_props")  # of an ONNX model
    written = metadata.get(TIED_KEY) or (properties.get(TIED_KEY) if isinstance(properties, dict) else None)
    if written is None:
        return {}
    try:
        found = json.loads(written) if isinstance(written, str) else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(kept, str) for kept in found.values()):
        raise WeightFileError("layout.tied-unreadable")
    for dropped, kept in found.items():
        check_name(dropped)
        if kept not in names:
            raise WeightFileError("layout.tied-unknown", tensor=shown(dropped), kept=shown(kept))
        if dropped in names:
            raise WeightFileError("layout.tied-twice", tensor=shown(dropped), kept=shown(kept))
    return found
