"""The job's process by itself, spoken to as the worker speaks."""

import contextlib
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.jobs.failures import error_from_json
from app.jobs.protocol import Channel

HERE = Path(__file__).parent
GIB = 1 << 30


@pytest.fixture
def child():
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-m", "app.tasks.child", "--channel", str(theirs.fileno())]
        process = subprocess.Popen(
            [*command, "--handlers", "fake_steps", "--memory", str(2 * GIB)],
            env={**os.environ, "PYTHONPATH": str(HERE)},
            pass_fds=(theirs.fileno(),),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    channel = Channel(ours)
    with process:
        yield process, channel
        channel.close()
        process.kill()


def ask(channel, call, file_bytes=None, **arguments):
    channel.send({"call": call, "arguments": arguments, "file_bytes": file_bytes})
    messages = []
    while not messages or messages[-1].keys() & {"progress", "part"}:
        messages += channel.receive()
    return [message for message in messages if "part" not in message]


def test_it_answers_again_and_again(child, tmp_path):
    _, channel = child
    source = tmp_path / "source"
    source.write_bytes(bytes(1500))
    for _ in range(3):
        *progress, answer = ask(channel, "analyse", source=str(source))
        assert answer["result"]["bytes"] == 1500
    assert all(message["progress"]["done"] == 1500 for message in progress)


def test_errors_come_back_as_what_they_are(child, tmp_path):
    _, channel = child
    (tmp_path / "source").write_bytes(b"bad")
    [answer] = ask(channel, "analyse", source=str(tmp_path / "source"))
    error = error_from_json(answer["error"])
    assert (type(error).__name__, error.code, error.figures) == ("WeightFileError", "file.bad", {"position": 3})
    [answer] = ask(channel, "analyse", source=str(tmp_path / "absent"))
    assert "FileNotFoundError" in answer["bug"]
    [answer] = ask(channel, "no such step")
    assert "KeyError" in answer["bug"]


def test_it_cannot_write_more_than_it_was_allowed(child, tmp_path):
    _, channel = child
    (tmp_path / "inner").mkdir()
    source = tmp_path / "source"
    source.write_bytes(bytes(100_000))
    arguments = {"source": str(source), "output": str(tmp_path / "inner" / "out")}
    for allowed in (10_000, 1_000_000):  # the second time: what was taken away is never given back
        [answer] = ask(channel, "plan", file_bytes=allowed, **arguments)
        assert answer["error"]["code"] == "storage.failed"
        assert answer["error"]["figures"] == {"reason": "File too large"}


@pytest.mark.parametrize("is_busy", [False, True])
def test_it_ends_at_once_when_nobody_wants_its_work(child, tmp_path, is_busy):
    process, channel = child
    source = tmp_path / "source"
    source.write_bytes(bytes(1500))
    ask(channel, "analyse", source=str(source))
    if is_busy:
        (tmp_path / "inner").mkdir()
        arguments = {"source": str(source), "output": str(tmp_path / "inner" / "out")}
        endless = {"step": 0, "options": {"misbehaviour": "endless"}}
        channel.send({"call": "compress", "arguments": {**arguments, **endless}, "file_bytes": None})
        with contextlib.suppress(TimeoutError):
            channel.receive()
    closed = time.monotonic()
    channel.close()
    process.wait(5)
    assert time.monotonic() - closed < 1


def test_its_memory_is_limited(child, tmp_path):
    process, channel = child
    source = tmp_path / "source"
    source.write_bytes(bytes(1500))
    ask(channel, "analyse", source=str(source))
    assert resource.prlimit(process.pid, resource.RLIMIT_AS) == (2 * GIB, 2 * GIB)
    assert resource.prlimit(process.pid, resource.RLIMIT_CORE) == (0, 0)


def test_it_loads_neither_torch_nor_a_database_for_itself():
    program = (
        "import sys, app.tasks.child; print(*(name for name in ('torch', 'dbos', 'sqlalchemy') if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_messages_arrive_whole_however_they_are_cut():
    ours, theirs = socket.socketpair()
    with contextlib.closing(Channel(ours)) as channel, theirs:
        theirs.sendall(b'{"a":')
        assert channel.receive() == []
        theirs.sendall(b'1}\n{"b":2}\n{"c"')
        assert channel.receive() == [{"a": 1}, {"b": 2}]
        theirs.sendall(b":3}\n")
        assert channel.receive() == [{"c": 3}]
        theirs.close()
        assert channel.receive() is None
