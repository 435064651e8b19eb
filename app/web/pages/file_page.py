"""The page of one file as values: its progress or its summary, the form, the table of tensors."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.tasks.compress_options import SCHEMES
from app.tasks.workspace import FileView, JobView
from app.web.api.documents import file_state
from app.web.pages.listing import ResultRow, result_row
from app.web.pages.progress import Progress, progress_of
from app.web.pages.table_query import TablePage, TableQuery, table_page
from app.web.pages.tensor_rows import DESCENDING_FIRST, SORTS, TensorRow, tensor_row
from app.web.quantities import count_text, share_text, size_text
from app.weightfiles.strict_json import shown
from app.wording import Language, say


@dataclass(frozen=True, slots=True)
class DtypeRow:
    """How much of a file one dtype takes."""

    dtype: str
    tensors: int
    size: str
    share: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A file in a few figures."""

    tensors: int
    parameters: str
    size: str
    dtypes: tuple[DtypeRow, ...]
    metadata: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SchemeChoice:
    """One scheme of the form."""

    name: str
    granularities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompressForm:
    """What was chosen, or will be by default; `refusal` says what was wrong with it."""

    schemes: tuple[SchemeChoice, ...]
    scheme: str
    granularity: str
    include: str
    exclude: str
    refusal: str | None


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
    table: TablePage[TensorRow] | None
    chosen: TensorRow | None
    results: tuple[ResultRow, ...]


DEFAULT_FORM: Mapping[str, str] = {"scheme": "bfloat16", "granularity": "channel", "include": "", "exclude": ""}


def file_page(
    view: FileView,
    analysis: Mapping[str, Any] | None,
    jobs: list[JobView],
    *,
    language: Language,
    parameters: Mapping[str, str],
    form: CompressForm,
) -> FilePage:
    """The page; `parameters` are those of the query string."""
    href = f"/{language}/files/{view.record.id}"
    query = TableQuery.read(parameters, tuple(SORTS), descending_first=DESCENDING_FIRST)
    return FilePage(
        href=href,
        delete_href=f"{href}/delete",
        name=view.record.name,
        size=size_text(view.record.bytes),
        sha256=view.record.sha256,
        state=file_state(view),
        refusal=_refusal(view, language),
        progress=progress_of(view.analysis),
        summary=_summary(analysis) if analysis else None,
        form=form,
        table=_table(analysis, query, language) if analysis else None,
        chosen=_chosen_tensor(analysis, parameters.get("tensor", ""), query, language),
        results=tuple(result_row(job, language) for job in jobs),
    )


def compress_form(form: Mapping[str, str] = DEFAULT_FORM, refusal: str | None = None) -> CompressForm:
    """The form with what was chosen in it."""
    schemes = tuple(SchemeChoice(card.name, card.granularities) for card in SCHEMES)
    chosen = {name: form.get(name, "")[:10_000] for name in DEFAULT_FORM}
    return CompressForm(schemes=schemes, refusal=refusal, **chosen)


def _refusal(view: FileView, language: Language) -> str | None:
    if view.record.refusal is not None:
        return say(view.record.refusal.code, view.record.refusal.figures, language)
    if view.is_ready or view.analysis.error_code is None:
        return None
    return say(view.analysis.error_code, view.analysis.error_figures, language)


def _summary(analysis: Mapping[str, Any]) -> Summary:
    totals = analysis["totals"]
    by_dtype = sorted(totals["by_dtype"].items(), key=lambda item: -item[1]["bytes"])
    return Summary(
        tensors=totals["tensors"],
        parameters=count_text(totals["parameters"]),
        size=size_text(analysis["bytes"]),
        dtypes=tuple(
            DtypeRow(
                name, figures["tensors"], size_text(figures["bytes"]), share_text(figures["bytes"], totals["bytes"])
            )
            for name, figures in by_dtype
        ),
        metadata=tuple((shown(name), shown(value, 500)) for name, value in list(analysis["metadata"].items())[:20]),
    )


def _table(analysis: Mapping[str, Any], query: TableQuery, language: Language) -> TablePage[TensorRow]:
    tensors = [{**tensor, "place": place} for place, tensor in enumerate(analysis["tensors"])]
    page = table_page(tensors, query, name_of=lambda tensor: str(tensor["name"]), sorts=SORTS)
    return page.with_rows(tuple(tensor_row(tensor, language, query.link()) for tensor in page.rows))


def _chosen_tensor(
    analysis: Mapping[str, Any] | None, name: str, query: TableQuery, language: Language
) -> TensorRow | None:
    found = [tensor for tensor in analysis["tensors"] if tensor["name"] == name] if analysis and name else []
    return tensor_row(found[0], language, query.link(), width=640, height=160) if found else None
