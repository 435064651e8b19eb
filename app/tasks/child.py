"""A job's own process: does the steps that the worker asks for, under limits, and ends with it.

Run as `python -m app.tasks.child --channel FD --handlers MODULE --memory BYTES`. Of all processes only this one reads
the tensors of an upload, and the worker leaves torch to it. Its environment holds no secret, and it has no descriptor
but its channel.
"""

import argparse
import errno
import importlib
import os
import queue
import resource
import socket
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from app.errors import AppError, JobCrashed
from app.jobs.failures import error_to_json
from app.jobs.protocol import Channel, Message
from app.storage.failures import storage_failures

_PROGRESS_SECONDS = 0.2
_NICENESS = 5

Handlers = Mapping[str, Callable[[Mapping[str, Any], "Reporter"], Mapping[str, Any]]]


def main(arguments: list[str] | None = None) -> None:
    """Serves until the worker closes the channel."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--handlers", required=True)
    parser.add_argument("--memory", type=int, required=True)
    given = parser.parse_args(arguments)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, given.memory)
    os.nice(_NICENESS)  # pages are answered first
    channel = Channel(socket.socket(fileno=given.channel))
    requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(channel, requests), daemon=True).start()
    while True:
        _send(channel, _answer(requests.get(), channel, given.handlers, given.memory))


def _send(channel: Channel, answer: Message) -> None:
    try:
        channel.send(answer)
    except ValueError:  # a result that is no JSON, such as one with a NaN in it
        channel.send({"bug": traceback.format_exc()})
    except OSError:  # nobody is there to hear it
        os._exit(0)


def _listen(channel: Channel, requests: "queue.SimpleQueue[Message]") -> None:
    """Passes requests on, and ends the process in the middle of whatever it does once nobody wants it any more."""
    try:
        while (messages := channel.receive()) is not None:
            for message in messages:
                requests.put(message)
    finally:
        os._exit(0)


def _answer(request: Message, channel: Channel, handlers_module: str, memory: int) -> Message:
    try:
        if request["file_bytes"] is not None:
            _limit(resource.RLIMIT_FSIZE, request["file_bytes"])
        with storage_failures():
            handlers: Handlers = importlib.import_module(handlers_module).HANDLERS
            return {"result": handlers[request["call"]](request["arguments"], Reporter(channel))}
    except AppError as error:
        return {"error": error_to_json(error)}
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker must hear of it
        if _is_out_of_memory(error):
            return {"error": error_to_json(JobCrashed("job.out-of-memory", limit=memory >> 20))}
        return {"bug": traceback.format_exc()}


class Reporter:
    """What a step tells the worker while it works."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._last = 0.0

    def __call__(self, done: int, tensor: str) -> None:
        """How far it is, a few times a second at most."""
        now = time.monotonic()
        if now - self._last >= _PROGRESS_SECONDS:
            self._last = now
            self._channel.send({"progress": {"done": done, "tensor": tensor}})

    def part(self, document: Mapping[str, Any]) -> None:
        """A part of what it found, ahead of the result."""
        self._channel.send({"part": document})


def _is_out_of_memory(error: Exception) -> bool:
    # torch reports a failed allocation as a RuntimeError, known by its words alone.
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError) and "can't allocate memory" in str(error))
    )


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    lowest = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (lowest, lowest))


if __name__ == "__main__":
    main()
