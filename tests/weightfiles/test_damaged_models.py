"""Damaged ONNX models, indexes and zips of folders: a short run of the fuzzing campaign."""

import pytest

from tests.campaigns.fuzz_readers import READERS, campaign


@pytest.mark.parametrize("name", ["onnx", "index", "folder"])
def test_only_refusals_come_out(name: str) -> None:
    found = campaign(READERS[name], count=5_000, seed=5)
    assert found.accepted > 10
    assert found.tried == 5_000
