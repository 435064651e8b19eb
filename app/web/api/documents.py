"""Files and jobs as JSON, in the names of the public interface."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.jobs.states import JobState, State
from app.tasks.workspace import FileView, JobView
from app.wording import Language, say


def file_document(view: FileView, analysis: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A file: its header and statistics once they are known, until then how far the analysis is."""
    record = view.record
    document: dict[str, Any] = {
        "id": record.id,
        "name": record.name,
        "bytes": record.bytes,
        "sha256": record.sha256,
        "created": _time(record.created_at),
        "state": file_state(view),
    }
    if analysis is not None:
        document |= {name: part for name, part in analysis.items() if name not in document}
    elif not view.is_ready:
        document["progress"] = _progress(view.analysis)
        document["error"] = _error(view)
    return document


def file_state(view: FileView) -> str:
    """`analysing`, `ready`, or `failed` when the analysis could not be made."""
    if view.is_ready:
        return "ready"
    return "failed" if view.analysis.state.is_final and view.analysis.state is not State.DONE else "analysing"


def job_document(view: JobView) -> dict[str, Any]:
    """A job and how far it is."""
    record = view.record
    return {
        "id": record.id,
        "file": record.file,
        "name": record.file_name,
        "options": dict(record.options),
        "created": _time(record.created_at),
        "state": view.state.state.value,
        "progress": _progress(view.state),
        "error": _said(view.state.error_code, view.state.error_figures),
    }


def _progress(state: JobState) -> dict[str, Any]:
    return {"done": state.done, "total": state.total, "tensor": state.tensor}


def _error(view: FileView) -> dict[str, Any] | None:
    refusal = view.record.refusal
    if refusal is not None:
        return _said(refusal.code, refusal.figures)
    return _said(view.analysis.error_code, view.analysis.error_figures)


def _said(code: str | None, figures: Mapping[str, Any]) -> dict[str, Any] | None:
    if code is None:
        return None
    return {"code": code, "message": say(code, figures, Language.ENGLISH), "detail": dict(figures)}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
