"""The page of one file as values: its progress, its summary, what it is made of, the form, the table of tensors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.tasks.tensor_roles import Role
from app.tasks.tensor_views import Outline
from app.tasks.workspace import FileView, JobView
from app.web.api.documents import file_state
from app.web.pages.compress_form import CompressForm
from app.web.pages.file_branches import Branches, branches_of
from app.web.pages.file_metadata import MetadataRow, metadata_rows
from app.web.pages.listing import ResultRow, result_row
from app.web.pages.progress import Progress, progress_of
from app.web.pages.table_query import TablePage, TableQuery, table_page
from app.web.pages.tensor_rows import DESCENDING_FIRST, SORTS, TensorRow, stored_text, tensor_row
from app.web.quantities import count_text, share_text, size_text
from app.weightfiles.strict_json import shown
from app.wording import Language, say

FILTERS = ("under", "role", "dtype")
"""What the table can be narrowed to, beside a part of the name."""
Rows = Callable[[Sequence[int]], Mapping[int, Mapping[str, Any]]]
"""The figures of the tensors at those places, as far as they are known."""


@dataclass(frozen=True, slots=True)
class TotalRow:
    """How much of a file one dtype or role takes; `href` narrows the table to it, or widens it again."""

    name: str
    tensors: str
    size: str
    share: str
    permille: int
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """A file in a few figures."""

    tensors: str
    parameters: str
    size: str
    dtypes: tuple[TotalRow, ...]
    roles: tuple[TotalRow, ...]
    metadata: tuple[MetadataRow, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """What the table is narrowed to, and the way back."""

    kind: str
    text: str
    href: str


@dataclass(frozen=True, slots=True)
class FilePage:
    """The view of `file.html` and of `_file.html`, which it includes."""

    href: str
    delete_href: str
    name: str
    size: str
    sha256: str
    state: str
    refusal: str | None
    progress: Progress
    summary: Summary | None
    form: CompressForm
    is_ready: bool
    branches: Branches | None
    table: TablePage[TensorRow] | None
    table_href: str
    """The page with all that the table is narrowed to."""
    filters: tuple[Filter, ...]
    known: str
    """Of how many tensors the figures are known while the file is read."""
    results: tuple[ResultRow, ...]


def file_page(
    view: FileView,
    outline: Outline | None,
    jobs: list[JobView],
    *,
    rows: Rows,
    known: int,
    language: Language,
    parameters: Mapping[str, str],
    form: CompressForm,
) -> FilePage:
    """The page; `parameters` are those of the query string, `known` counts the tensors whose figures are known."""
    href = f"/{language}/files/{view.record.id}"
    query = TableQuery.read(parameters, tuple(SORTS), descending_first=DESCENDING_FIRST, filters=FILTERS)
    under = query.filters.get("under", "")
    return FilePage(
        href=href,
        delete_href=f"{href}/delete",
        name=view.record.name,
        size=size_text(view.record.bytes),
        sha256=view.record.sha256,
        state=file_state(view),
        refusal=_refusal(view, language),
        progress=progress_of(view.analysis),
        summary=_summary(outline.document, query) if outline else None,
        form=form,
        is_ready=view.is_ready,
        branches=branches_of(outline.tree, under, href, outline.tensors) if outline and outline.tensors else None,
        table=_table(outline, query, rows, href, language) if outline else None,
        table_href=f"{href}{query.link()}",
        filters=tuple(_filter(kind, query) for kind in FILTERS if query.filters.get(kind)),
        known=count_text(known),
        results=tuple(result_row(job, language) for job in jobs),
    )


def _refusal(view: FileView, language: Language) -> str | None:
    if view.record.refusal is not None:
        return say(view.record.refusal.code, view.record.refusal.figures, language)
    if view.is_ready or view.analysis.error_code is None:
        return None
    return say(view.analysis.error_code, view.analysis.error_figures, language)


def _summary(document: Mapping[str, Any], query: TableQuery) -> Summary:
    totals = document["totals"]
    return Summary(
        tensors=count_text(totals["tensors"]),
        parameters=count_text(totals["parameters"]),
        size=size_text(document["bytes"]),
        dtypes=_totals(totals["by_dtype"], "dtype", totals["bytes"], query),
        roles=_totals(totals.get("by_role", {}), "role", totals["bytes"], query),
        metadata=metadata_rows(document["metadata"]),
    )


def _totals(sums: Mapping[str, Any], kind: str, whole: int, query: TableQuery) -> tuple[TotalRow, ...]:
    def row(name: str, figures: Mapping[str, int]) -> TotalRow:
        is_chosen = query.filters.get(kind) == name
        return TotalRow(
            name=name,
            tensors=count_text(figures["tensors"]),
            size=size_text(figures["bytes"]),
            share=share_text(figures["bytes"], whole),
            permille=round(1000 * figures["bytes"] / whole) if whole else 0,
            href=query.link(page="1", **{kind: "" if is_chosen else name}),
            is_chosen=is_chosen,
        )

    return tuple(row(name, figures) for name, figures in sorted(sums.items(), key=lambda item: -item[1]["bytes"]))


def _filter(kind: str, query: TableQuery) -> Filter:
    text = query.filters[kind]
    known = kind != "role" or text in {role.value for role in Role}
    return Filter(kind if known else "other", shown(text, 80), query.link(page="1", **{kind: ""}))


def _table(outline: Outline, query: TableQuery, rows: Rows, href: str, language: Language) -> TablePage[TensorRow]:
    found = _narrowed(outline.tensors, query.filters)
    page = table_page(found, query, name_of=lambda tensor: str(tensor["name"]), sorts=SORTS)
    figures = rows([tensor["place"] for tensor in page.rows])
    return page.with_rows(
        tuple(tensor_row({**tensor, **figures.get(tensor["place"], {})}, language, href) for tensor in page.rows)
    )


def _narrowed(tensors: Sequence[Mapping[str, Any]], filters: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    found = tensors
    if under := filters.get("under"):
        found = [tensor for tensor in found if tensor["name"].startswith(under)]
    if role := filters.get("role"):
        found = [tensor for tensor in found if tensor.get("role") == role]
    if dtype := filters.get("dtype"):
        found = [tensor for tensor in found if stored_text(tensor) == dtype]
    return found
