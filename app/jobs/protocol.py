"""What a worker and a job's process say to each other: JSON, one object a line, over a socket of their own.

worker -> child    {"call": "compress", "arguments": {...}, "file_bytes": 1048576 | null}
child -> worker    {"progress": {"done": 4096, "tensor": "encoder.0.weight"}}   any number of times, and
                   {"part": {...}}              a part of what was found, of some steps; then one of
                   {"result": {...}}
                   {"error": {"class": "WeightFileError", "code": "...", "figures": {...}}}
                   {"bug": "Traceback ..."}

The end of the stream is a message too: to the child, that nobody wants its work; to the worker, that the child died.
"""

import json
import socket
from collections.abc import Iterator, Mapping
from typing import Any

Message = Mapping[str, Any]

_LONGEST_LINE = 512 << 20
_RECEIVE_BYTES = 1 << 16


class Channel:
    """One end. Sending and receiving may be done by two threads, but each by one."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._received = bytearray()
        self._searched = 0

    def fileno(self) -> int:
        """So that the channel can be waited for."""
        return self._socket.fileno()

    def send(self, message: Message) -> None:
        """Raises OSError when the other end is gone, ValueError for what is no JSON (NaN, for one)."""
        self._socket.sendall(json.dumps(message, separators=(",", ":"), allow_nan=False).encode() + b"\n")

    def receive(self) -> list[Message] | None:
        """Waits until something arrives: the messages that are complete by then, or None at the end of the stream."""
        try:
            data = self._socket.recv(_RECEIVE_BYTES)
        except ConnectionError:
            return None
        if not data:
            return None
        self._received += data
        return list(self._complete())

    def close(self) -> None:
        """Tells the other end that this one is gone."""
        self._socket.close()

    def _complete(self) -> Iterator[Message]:
        while (end := self._received.find(b"\n", self._searched)) >= 0:
            line = bytes(self._received[:end])
            del self._received[: end + 1]
            self._searched = 0
            yield json.loads(line)
        # A long line arrives in many pieces: each byte is searched once.
        self._searched = len(self._received)
        if self._searched > _LONGEST_LINE:
            raise ValueError("a message without an end")
