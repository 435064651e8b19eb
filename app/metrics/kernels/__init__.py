"""Compiled passes of metrics."""
