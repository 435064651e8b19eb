"""`python worker_program.py DATA_DIR [HANDLERS]`: a worker as the command line would start one."""

import sys
from pathlib import Path

from app.jobs.options import WorkerOptions
from app.jobs.worker import run_worker

if __name__ == "__main__":
    run_worker(WorkerOptions(data_dir=Path(sys.argv[1]), handlers_module=sys.argv[2], take_over_seconds=1))
