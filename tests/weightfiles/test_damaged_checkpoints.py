"""Damaged checkpoints and NumPy files: answered with a header or a sentence, quickly; the campaign tries a million."""

import pytest

from tests.campaigns.fuzz_readers import READERS, campaign


@pytest.mark.parametrize("name", ["pytorch", "pickle", "npy", "zip"])
def test_damaged_files_are_answered(name: str) -> None:
    found = campaign(READERS[name], count=2000, seed=1)
    assert found.tried == 2000
    assert found.accepted > 5 or name == "pickle"
