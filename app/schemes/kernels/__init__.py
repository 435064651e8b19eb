"""Compiled searches and packing of `app.schemes`; numba is imported on first use."""
