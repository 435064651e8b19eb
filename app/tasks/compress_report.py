"""The report of a whole compression, and the plan of one that was not run."""

from collections.abc import Sequence
from typing import Any

from app.tasks.file_plan import FilePlan
from app.tasks.tensor_report import granularity_of, plan_row


def report_of(
    plan: FilePlan, source_bytes: int, digests: Sequence[str], rows: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """What was done: `sha256` is that of a single file, `files` has each one's.

    `model_config` is what loaders look for in the model's config.json.
    """
    assert len(rows) == len(plan.tensors), "a report needs the rows of every step"
    return {
        **_choice(plan, source_bytes),
        "sha256": digests[0] if len(digests) == 1 else None,
        "files": [
            {"name": file.name, "bytes": file.layout.file_bytes, "sha256": digest}
            for file, digest in zip(plan.files, digests, strict=True)
        ],
        "tied": dict(plan.tied),
        "model_config": dict(plan.description.config) or None,
        "tensors": list(rows),
    }


def plan_document(plan: FilePlan, source_bytes: int) -> dict[str, Any]:
    """What would be done, tensor by tensor."""
    notes = plan.description.notes
    return {
        **_choice(plan, source_bytes),
        "files": [{"name": file.name, "bytes": file.layout.file_bytes} for file in plan.files],
        "tied": dict(plan.tied),
        "tensors": [plan_row(tensor, notes) for tensor in plan.tensors],
    }


def _choice(plan: FilePlan, source_bytes: int) -> dict[str, Any]:
    options = plan.options
    chosen = options.chosen
    takes_rule = "scale" in chosen.entry.options
    return {
        "scheme": chosen.name,
        "options": chosen.text,
        "granularity": granularity_of(chosen.scheme()),
        "symmetric": chosen.options.symmetric is not False if "symmetric" in chosen.entry.options else None,
        "scale": chosen.choices.scale.value if takes_rule else None,
        "layout": options.output_layout.name,
        "set": list(options.set),
        "remarks": list(plan.description.remarks),
        "source": {"bytes": source_bytes},
        "bytes_before": source_bytes,
        "bytes_after": plan.bytes_after,
        "ratio": source_bytes / plan.bytes_after,
    }
