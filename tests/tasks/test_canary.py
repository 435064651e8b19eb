"""Nothing of a worker's memory gets into what it writes: whatever fresh memory holds, the bytes are the same.

glibc fills memory with a byte of MALLOC_PERTURB_ as it is handed out, and with another as it is given back; torch's and
NumPy's arrays come from there.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("canary_program.py")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Tensors of every kind of end: rows that fill no block or word, zeros, none, three ranks, four dtypes."""
    generator = torch.Generator().manual_seed(1)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    tensors = {
        "whole.weight": noise(64, 512),
        "odd.weight": noise(33, 97),
        "uneven.weight": noise(32, 100),
        "zeros.weight": torch.zeros(32, 256),
        "vector.weight": noise(7),
        "none.weight": torch.zeros(0, 64),
        "cube.weight": noise(2, 3, 64),
        "half.weight": noise(32, 256).half(),
        "brain.weight": noise(32, 256).bfloat16(),
        "double.weight": noise(32, 256).double(),
    }
    path = tmp_path / "source.safetensors"
    save_file(tensors, path)
    return path


def run_with(fill: int, source: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(source)],
        env={**os.environ, "MALLOC_PERTURB_": str(fill), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc fills memory")
def test_what_memory_held_is_never_written(source: Path) -> None:
    found = []
    for run in [run_with(fill, source) for fill in (0xA5, 0x3C)]:
        lines = run.communicate(timeout=240)[0].splitlines()
        assert run.returncode == 0
        found.append(lines)
    assert len(found[0]) > 100
    assert found[0] == found[1]
