"""The steps of a file's job as its child process runs them: JSON-able arguments in, JSON-able results out.

Each step may be run again after a crash and gives the same. `done` of a job's progress counts from the job's start,
also when it is resumed at a later step.
"""

from collections.abc import Callable, Mapping
from typing import Any

from app.tasks.analyse_file import analyse_file
from app.tasks.compress_options import CompressOptions
from app.tasks.compress_steps import finish_compression, plan_compression, run_step
from app.tasks.progress import Progress

Handler = Callable[[Mapping[str, Any], Progress], dict[str, Any]]


def _analyse(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    return analyse_file(arguments["source"], progress)


def _plan(arguments: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    return plan_compression(arguments["source"], arguments["output"], _options(arguments))


def _compress(arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    rows = run_step(arguments["source"], arguments["output"], _options(arguments), arguments["step"], progress)
    return {"tensors": rows}


def _finish(arguments: Mapping[str, Any], _progress: Progress) -> dict[str, Any]:
    return finish_compression(arguments["source"], arguments["output"], _options(arguments), arguments["rows"])


def _options(arguments: Mapping[str, Any]) -> CompressOptions:
    return CompressOptions.from_json(arguments["options"])


HANDLERS: Mapping[str, Handler] = {"analyse": _analyse, "plan": _plan, "compress": _compress, "finish": _finish}
"""`analyse {source}`, `plan {source, output, options}`, `compress {source, output, options, step}` and
`finish {source, output, options, rows}`."""
