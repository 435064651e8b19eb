"""Mutated files of every quantized layout, as many as are asked for: `python -m tests.campaigns.mutate_layouts 100000`.

Each is read whole and in parts, or refused with a sentence; anything else ends the run with the file that did it.
"""

import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from app.tasks.threads import one_thread
from tests.layouts.made import Made
from tests.layouts.test_read_mutated import mutated, read_or_refuse


def main(count: int) -> None:
    """Runs that many and tells how long it took."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, one_thread():

        @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(changed=mutated())
        def run(changed: Made) -> None:
            read_or_refuse(Path(folder), changed)

        run()
    print(f"{count} files, {time.monotonic() - started:.0f} s: each was read, or refused with a sentence")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
