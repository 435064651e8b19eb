"""What may be known about a job from outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.errors import Figure


class State(StrEnum):
    """Where a job stands; the last four are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Nothing is known of it any more: its result was removed."""

    @property
    def is_final(self) -> bool:
        return self not in {State.QUEUED, State.RUNNING}


@dataclass(frozen=True, slots=True)
class JobState:
    """`done` and `total` are bytes; they stay at 0 until the first progress arrives."""

    state: State
    done: int = 0
    total: int = 0
    tensor: str = ""
    step: int = 0
    """The step being done, counted from 1, of `steps`."""
    steps: int = 0
    bytes_per_second: int = 0
    queued_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    error_code: str | None = None
    error_figures: Mapping[str, Figure] = field(default_factory=dict)
