"""The story of one number as data: message ids and named figures, no prose."""

from app.explain.disagreement import explain_disagreement
from app.explain.steps import Step
from app.explain.story import tell_code, tell_encoding
from app.explain.weights import bit_weights

__all__ = ["Step", "bit_weights", "explain_disagreement", "tell_code", "tell_encoding"]
