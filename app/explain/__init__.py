"""The story of one number as data: message ids and named figures, no prose."""

from app.explain.steps import Step

__all__ = ["Step"]
