"""A mark of the kernels' sources in the type of an argument: what is compiled on disk serves no other sources.

Numba looks at the file of the function that it keeps alone, not at what is inlined into it.
"""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from app.metrics.kernels import pair_sums


@lru_cache(maxsize=1)
def mark() -> Any:
    """An empty array whose dtype names a digest of all kernels here, and of those that are inlined into them."""
    digest = sha256()
    for path in (*sorted(Path(__file__).parent.glob("*.py")), Path(pair_sums.__file__)):
        digest.update(path.read_bytes())
    return np.empty(0, np.dtype([(f"sources_{digest.hexdigest()[:16]}", np.uint8)]))
