from pathlib import Path

import pytest

from app.errors import WeightFileError
from app.tasks.upload import check_in_a_process


def test_the_check_runs_in_any_working_folder(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('not ours')")
    monkeypatch.chdir(tmp_path)
    check_in_a_process(model)
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(WeightFileError, match=r"safetensors\.truncated"):
        check_in_a_process(model)
