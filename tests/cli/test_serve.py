"""`bitlens serve` as a whole: it answers, leaves nothing running, and says what is wrong with an address."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from app.cli import main
from app.cli.serve import listen


def test_answers_are_not_held_back() -> None:
    """asyncio sets TCP_NODELAY on a listener's connections only if the listener names its protocol."""
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 1
    err = capsys.readouterr().err
    assert str(port) in err
    assert "--port" in err


@pytest.mark.parametrize("words", [("--port", "70000"), ("--host", "203.0.113.1")])
def test_an_unusable_address_is_one_sentence(capsys: pytest.CaptureFixture[str], words: tuple[str, str]) -> None:
    assert main(["serve", *words]) == 1
    assert words[1] in capsys.readouterr().err


def children_of(process_id: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [child for child, parent in pairs if parent == process_id]


def is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_it_serves_and_leaves_nothing_running(tmp_path: Path, ending: signal.Signals) -> None:
    environment = {**os.environ, "BITLENS_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        address = server.stderr.readline().split("on ")[1].split()[0]
        with urllib.request.urlopen(f"{address}/api/v1/inspect?value=0.1&format=bfloat16", timeout=60) as answer:
            assert b'"0x3dcd"' in answer.read()
        workers = children_of(server.pid)
        assert workers
    finally:
        server.send_signal(ending)
        server.wait(timeout=30)
        server.stderr.close()
    deadline = time.monotonic() + 30
    while any(map(is_running, workers)):
        assert time.monotonic() < deadline, "the worker outlived its server"
        time.sleep(0.1)
