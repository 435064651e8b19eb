"""Lets these tests import what stands beside them, in `tests/oracles` and in `tests/campaigns`."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

_HERE = Path(__file__).parent

for folder in (_HERE, _HERE.parent / "oracles", _HERE.parent / "campaigns"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


@pytest.fixture
def one_thread() -> Iterator[None]:
    """torch's threads wait for each other in a busy loop, which costs most where others work too."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
