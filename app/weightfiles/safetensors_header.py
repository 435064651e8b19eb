"""Strict reading of a safetensors header, with the standard library only."""
