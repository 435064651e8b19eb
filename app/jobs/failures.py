"""Errors on their way through JSON: between processes, and through the database of jobs."""

from collections.abc import Mapping
from typing import Any

from app import errors
from app.errors import AppError


def error_to_json(error: AppError) -> dict[str, Any]:
    """Class, code and figures; `error_from_json` gives the same error back."""
    return {"class": type(error).__name__, "code": error.code, "figures": dict(error.figures)}


def error_from_json(document: Mapping[str, Any]) -> AppError:
    """The error that was written down; of a class that this version does not know, a plain AppError."""
    kind = getattr(errors, str(document["class"]), AppError)
    if not (isinstance(kind, type) and issubclass(kind, AppError)):
        kind = AppError
    return kind(str(document["code"]), **document["figures"])
