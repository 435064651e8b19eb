"""A progress line on the terminal for long work; nothing where the output is not a terminal."""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from app.cli.columns import printable

BAR_WIDTH = 24
SECONDS_BETWEEN = 0.1


class ProgressLine:
    """Call it with the bytes done and the tensor's name; leaving the context wipes the line."""

    def __init__(self, source: str | Path) -> None:
        self._total = _bytes_of(Path(source))
        self._started = time.monotonic()
        self._last = 0.0
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, tensor: str) -> None:
        now = time.monotonic()
        if not self._shown or now - self._last < SECONDS_BETWEEN:
            return
        self._last = now
        share = min(done / self._total, 1.0) if self._total else 1.0
        bar = "#" * round(share * BAR_WIDTH)
        speed = done / 1e6 / max(now - self._started, 1e-3)
        line = f"[{bar:<{BAR_WIDTH}}] {share:4.0%} {speed:6.0f} MB/s  {printable(tensor)[:48]}"
        print(f"\r\x1b[2K{line}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def _bytes_of(source: Path) -> int:
    """Of a file, or of the files in a folder; 0 for anything else: whoever reads it says what is wrong."""
    try:
        files = source.iterdir() if source.is_dir() else [source]
        return sum(path.stat().st_size for path in files if path.is_file())
    except OSError:
        return 0
