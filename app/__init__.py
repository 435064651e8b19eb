"""Bitlens: what numbers look like inside the machine, and what fewer bits do to a model's weights."""

__version__ = "0.1.0"
