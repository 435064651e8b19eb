"""The real handlers, with more steps to be killed in than a small file has otherwise."""

from app.tasks import file_plan
from app.tasks.child_steps import HANDLERS

file_plan.STEP_TENSORS = 1_400

__all__ = ["HANDLERS"]
