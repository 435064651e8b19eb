"""Starting more processes of this program, whatever folder it is run from."""

import os
import sys
from pathlib import Path

import app


def own_module(name: str) -> list[str]:
    """The command that runs one of our modules; -P: a folder `app` in the working folder is somebody else's."""
    return [sys.executable, "-P", "-m", name]


def import_path() -> str:
    """The PYTHONPATH under which that command finds us, also where we are not installed."""
    roots = [str(Path(app.__file__).parent.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return os.pathsep.join(root for root in roots if root)
