"""The steps of a file's job as its child process runs them: JSON-able arguments in, JSON-able results out.

Each step may be run again after a crash and gives the same. `done` of a job's progress counts from the job's start,
also when it is resumed at a later step.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from app.tasks.analyse_file import analyse_file
from app.tasks.compress_options import CompressOptions
from app.tasks.compress_steps import Compression
from app.tasks.look import look_at
from app.tasks.look_window import LookWindow
from app.tasks.progress import Progress

Handler = Callable[[Mapping[str, Any], Progress], dict[str, Any]]


def _analyse(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    # The worker hears of every tensor as soon as its figures are known.
    return analyse_file(arguments["source"], progress, getattr(progress, "part", None))


def _look(arguments: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    return look_at(arguments["source"], arguments["tensor"], LookWindow(**arguments["window"]))


def _plan(arguments: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    compression = _compression(arguments)
    compression.lay_out()
    plan = compression.plan
    return {"steps": len(plan.steps), "output_bytes": plan.bytes_after, "bytes": plan.bytes_to_read}


def _compress(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    return {"tensors": _compression(arguments).run_step(arguments["step"], progress)}


def _finish(arguments: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    return _compression(arguments).finish(arguments["rows"])


def _compression(arguments: Mapping[str, Any]) -> Compression:
    return _open(arguments["source"], arguments["output"], CompressOptions.from_json(arguments["options"]))


@lru_cache(maxsize=1)
def _open(source: str, output: str, options: CompressOptions) -> Compression:
    """A process does one job: what is opened and planned here serves all its steps, and is closed with the process."""
    return Compression(source, output, options)


HANDLERS: Mapping[str, Handler] = {
    "analyse": _analyse,
    "look": _look,
    "plan": _plan,
    "compress": _compress,
    "finish": _finish,
}
"""`analyse {source}` the analysis document; `look {source, tensor, window}` that of a look;
`plan {source, output, options}` gives `{steps, output_bytes, bytes}`;
`compress {source, output, options, step}` gives `{tensors}`; `finish {source, output, options, rows}` the report."""
