"""Numba loops over float32 words and codes; importing a module of this folder imports numba."""
