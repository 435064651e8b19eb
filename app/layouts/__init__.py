"""Layouts: which stored tensors stand for one weight, how they are read back, and how they are written."""
