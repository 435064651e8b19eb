"""The story of one number as data: message ids and named figures, no prose."""

from app.explain.disagreement import explain_disagreement
from app.explain.integer_story import bit_weights
from app.explain.steps import Step
from app.explain.story import tell_code, tell_encoding

__all__ = ["Step", "bit_weights", "explain_disagreement", "tell_code", "tell_encoding"]
