"""Handlers that need no torch: a compression that reverses bytes, with ways to die that its options ask for.

What has been run is written to `<output>.log`, so that a test can see which steps were run how often.
"""

import hashlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from app.errors import WeightFileError

CHUNK = 1000


def _log(arguments: Any, line: str) -> int:
    path = Path(arguments["output"]).parent.parent / f"{Path(arguments['output']).parent.name}.log"
    with path.open("a") as file:
        file.write(line + "\n")
    return path.read_text().splitlines().count(line)


def _analyse(arguments: Any, progress: Any) -> dict[str, Any]:
    data = Path(arguments["source"]).read_bytes()
    if data.startswith(b"bad"):
        raise WeightFileError("file.bad", position=3)
    progress(len(data), "all")
    progress.part({"outline": {"tensors": [{"name": "all"}]}})
    progress.part({"rows": [[0, {"name": "all", "max": data[0]}, {"bits": None}]]})
    return {"bytes": len(data), "environment": sorted(os.environ)}


def _plan(arguments: Any, progress: Any) -> dict[str, Any]:
    _log(arguments, "plan")
    size = Path(arguments["source"]).stat().st_size
    with Path(arguments["output"] + ".part").open("wb") as part:
        part.truncate(size)
    return {"steps": -(-size // CHUNK), "output_bytes": size, "bytes": size}


def _compress(arguments: Any, progress: Any) -> dict[str, Any]:
    step, options = arguments["step"], arguments["options"]
    times = _log(arguments, f"compress {step}")
    print("a stray print must not disturb the worker")
    data = Path(arguments["source"]).read_bytes()
    chunk = data[step * CHUNK : (step + 1) * CHUNK][::-1]
    for part in range(10):
        progress(step * CHUNK + part * CHUNK // 10, f"tensor {step}")
        time.sleep(options.get("seconds", 0) / 10)
        if part == 5 and step == options.get("dies_in") and times <= options.get("deaths", 0):
            os.kill(os.getpid(), signal.SIGKILL)
    _misbehave(options.get("misbehaviour"))
    with Path(arguments["output"] + ".part").open("r+b") as file:
        file.seek(step * CHUNK)
        file.write(chunk)
    value = float("nan") if options.get("misbehaviour") == "nan" else step
    return {"tensors": [{"name": f"tensor {step}", "value": value}]}


def _misbehave(how: str | None) -> None:
    if how == "bug":
        raise KeyError("a bug of ours")
    if how == "memory":
        bytearray(1 << 40)
    if how == "full":
        raise OSError(28, "No space left on device")
    if how == "endless":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)


def _finish(arguments: Any, progress: Any) -> dict[str, Any]:
    _log(arguments, "finish")
    output = Path(arguments["output"])
    if not output.exists():
        Path(arguments["output"] + ".part").rename(output)
    return {"sha256": hashlib.sha256(output.read_bytes()).hexdigest(), "tensors": arguments["rows"]}


def _look(arguments: Any, progress: Any) -> dict[str, Any]:
    if arguments["tensor"] == "bad":
        raise WeightFileError("look.unreadable", tensor="bad")
    return {"process": os.getpid(), "tensor": arguments["tensor"], "source": Path(arguments["source"]).name}


HANDLERS = {"analyse": _analyse, "look": _look, "plan": _plan, "compress": _compress, "finish": _finish}
