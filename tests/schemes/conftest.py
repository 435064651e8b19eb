"""Lets these tests import what stands beside them, in `tests/oracles` and in `tests/campaigns`."""

import sys
from pathlib import Path

_HERE = Path(__file__).parent

for folder in (_HERE, _HERE.parent / "oracles", _HERE.parent / "campaigns"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
