"""A short run of the fuzzing campaign."""

import runpy
from pathlib import Path

CAMPAIGN = Path(__file__).parents[1] / "campaigns" / "fuzz_numbers.py"


def test_ten_seconds_of_made_up_text_and_names() -> None:
    found = runpy.run_path(str(CAMPAIGN))["campaign"](seconds=10, seed=20261124)
    assert found.tried > 500
    assert found.answered > found.tried // 20
