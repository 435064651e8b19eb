"""`/{language}/jobs/{id}/tensors`: one tensor before and after a compression, and what lies between."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.errors import NotFound
from app.tasks.workspace import Workspace
from app.web.histogram import Histogram, histogram_of
from app.web.owners import KnownOwner
from app.web.pages.file_branches import visible
from app.web.pages.listing import scheme_text
from app.web.pages.report import CompressedRow, compressed_row
from app.web.pages.tensor_charts import Bits, Magnitudes, bits_of, magnitudes_of
from app.web.pages.tensor_rows import name_parts, tensor_address
from app.web.quantities import number_text, share_text
from app.web.rendering import render
from app.web.services import workspace_of
from app.wording import Language

router = APIRouter(prefix="/{language}/jobs/{job_id}/tensors", include_in_schema=False)

FIGURES = ("min", "max", "mean", "std", "zeros")


@dataclass(frozen=True, slots=True)
class Side:
    """The tensor as one of the two files has it."""

    dtype: str
    histogram: Histogram | None
    bits: Bits | None


@dataclass(frozen=True, slots=True)
class PairRow:
    """A figure before and after; a dash where it is not known."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class JobTensorPage:
    """The view of `job_tensor.html`. A side is None while, or where, nothing is known of it."""

    href: str
    job_href: str
    job_name: str
    file_tensor_href: str | None
    name: str
    name_parts: tuple[str, ...]
    error: CompressedRow
    before: Side | None
    after: Side | None
    is_reading: bool
    """Whether the result is being read just now."""
    rows: tuple[PairRow, ...]
    magnitudes: Magnitudes | None


@router.get("")
def show(language: Language, job_id: str, request: Request, owner: KnownOwner, name: str = "") -> Response:
    """One tensor before and after."""
    workspace = workspace_of(request)
    record = workspace.job(owner, job_id).record
    report = workspace.report(owner, job_id)
    found = next((row for row in report["tensors"] if row["name"] == name and not row["kept"]), None)
    if found is None:
        raise NotFound("look.no-tensor", tensor=visible(name[:200]))
    before = _before(workspace, owner, record.file, name)
    after = workspace.result_tensor(owner, job_id, name)
    page = JobTensorPage(
        href=tensor_address(f"/{language}/jobs/{job_id}", name),
        job_href=f"/{language}/jobs/{job_id}",
        job_name=f"{record.file_name} → {scheme_text(record.options, language)}",
        file_tensor_href=tensor_address(f"/{language}/files/{record.file}", name) if before else None,
        name=visible(name),
        name_parts=name_parts(name),
        error=compressed_row(found, language),
        before=_side(before),
        after=_side(after),
        is_reading=after is None and workspace.is_reading_result(owner, job_id),
        rows=_rows(before, after),
        magnitudes=magnitudes_of((before or {}).get("binades"), (after or {}).get("binades")),
    )
    return render(request, "job_tensor.html", page)


def _before(workspace: Workspace, owner: str | None, file_id: str, name: str) -> Mapping[str, Any] | None:
    try:
        return workspace.tensor(owner, file_id, name)
    except NotFound:  # the file was removed, or read again in other parts
        return None


def _side(tensor: Mapping[str, Any] | None) -> Side | None:
    if tensor is None:
        return None
    encoding = tensor.get("encoding")
    return Side(
        dtype=f"{encoding['layout']} {encoding['scheme']}" if encoding else str(tensor["dtype"]),
        histogram=histogram_of(tensor.get("histogram"), width=640, height=160),
        bits=bits_of(tensor.get("bits")) if not encoding else None,
    )


def _rows(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[PairRow, ...]:
    return tuple(PairRow(name, _figure(before, name), _figure(after, name)) for name in FIGURES)


def _figure(tensor: Mapping[str, Any] | None, name: str) -> str:
    value = (tensor or {}).get(name)
    if tensor is None or value is None:
        return number_text(None)
    return share_text(value, tensor["elements"]) if name == "zeros" else number_text(value)
