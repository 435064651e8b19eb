"""The lists of an owner's files and results, as pages show them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from app.tasks.workspace import FileView, JobView, Workspace
from app.web.api.documents import file_state
from app.web.quantities import size_text
from app.wording import Language, say


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One job: what was asked for, and how it stands."""

    id: str
    href: str
    file_name: str
    scheme: str
    state: str
    size: str | None
    created: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file with the results made from it."""

    id: str
    href: str
    name: str
    size: str
    state: str
    created: str
    results: tuple[ResultRow, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything that an owner has here; `orphans` are results whose file is gone."""

    files: tuple[FileRow, ...]
    orphans: tuple[ResultRow, ...]

    @property
    def is_empty(self) -> bool:
        return not self.files and not self.orphans

    @property
    def is_changing(self) -> bool:
        """Whether something is under way, so that the list will soon look different."""
        results = [*self.orphans, *(result for file in self.files for result in file.results)]
        return any(file.state == "analysing" for file in self.files) or any(
            result.state in {"queued", "running"} for result in results
        )


def listing_of(workspace: Workspace, owner: str | None, language: str) -> Listing:
    """The owner's files and results, newest first."""
    jobs = workspace.jobs(owner)
    files = workspace.files(owner)
    known = {view.record.id for view in files}
    return Listing(
        files=tuple(
            _file_row(view, [job for job in jobs if job.record.file == view.record.id], language) for view in files
        ),
        orphans=tuple(result_row(job, language) for job in jobs if job.record.file not in known),
    )


def result_row(view: JobView, language: str) -> ResultRow:
    """One job as a row."""
    record = view.record
    return ResultRow(
        id=record.id,
        href=f"/{language}/jobs/{record.id}",
        file_name=record.file_name,
        scheme=scheme_text(record.options, language),
        state=view.state.state.value,
        size=size_text(record.result_bytes) if record.result_bytes is not None else None,
        created=_minute(record.created_at),
    )


def scheme_text(options: object, language: str) -> str:
    """`int8 · per row`, `bfloat16`."""
    assert isinstance(options, dict)
    granularity = options.get("granularity")
    parts = [options["scheme"]]
    if granularity in {"channel", "tensor"}:
        parts.append(say(f"granularity.{granularity}", {}, Language(language)))
    elif granularity:
        parts.append(granularity)
    return " · ".join(parts)


def _file_row(view: FileView, jobs: list[JobView], language: str) -> FileRow:
    record = view.record
    return FileRow(
        id=record.id,
        href=f"/{language}/files/{record.id}",
        name=record.name,
        size=size_text(record.bytes),
        state=file_state(view),
        created=_minute(record.created_at),
        results=tuple(result_row(job, language) for job in jobs),
    )


def _minute(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
