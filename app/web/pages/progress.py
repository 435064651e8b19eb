"""How far background work is, in words: for a file's analysis and for a job alike."""

from dataclasses import dataclass

from app.jobs.states import JobState, State
from app.web.quantities import duration_text, size_text


@dataclass(frozen=True, slots=True)
class Progress:
    """The view of `_progress.html`: what is being done, how much of it, how fast, how long still."""

    state: str
    is_final: bool
    permille: int
    tensor: str
    done: str
    total: str
    speed: str | None
    left: str | None


def progress_of(state: JobState) -> Progress:
    """The figures of a job's state."""
    total = max(state.total, state.done)
    speed = state.bytes_per_second
    return Progress(
        state=state.state.value,
        is_final=state.state.is_final,
        permille=1000 if state.state is State.DONE else 1000 * state.done // total if total else 0,
        tensor=state.tensor,
        done=size_text(state.done),
        total=size_text(total),
        speed=f"{size_text(speed)}/s" if speed else None,
        left=duration_text((total - state.done) / speed) if speed and total else None,
    )
