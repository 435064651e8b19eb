"""Lets these tests import the oracles that stand beside them and in `tests/oracles`."""

import sys
from pathlib import Path

_HERE = Path(__file__).parent

for folder in (_HERE, _HERE.parent / "oracles"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
