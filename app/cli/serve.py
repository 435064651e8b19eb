"""`bitlens serve`: the web application and its worker, until Ctrl-C."""

import argparse
import errno
import os
import socket
import sys

import uvicorn

from app.errors import Conflict, InvalidInput
from app.jobs import supervise_worker
from app.settings import load_settings

GRACEFUL_SECONDS = 3
"""An open event stream would hold the server for ever: after this long it is cut, and the page reconnects."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Serve until the process is told to end."""
    settings = load_settings()
    listener = listen(arguments.host, arguments.port)
    # The application reads its settings from the environment, as it does under any other server. Health checks on the
    # same machine ask 127.0.0.1, whatever public name has been set; no page elsewhere can make a browser send that.
    os.environ["BITLENS_ALLOWED_HOSTS"] = ",".join((*settings.allowed_hosts, arguments.host, "127.0.0.1"))
    config = uvicorn.Config(
        "app.main:create",
        factory=True,
        log_level="warning",
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
        server_header=False,
        h11_max_incomplete_event_size=32 * 1024,
    )
    address = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    with listener:
        config.load()  # an unusable folder or database is one sentence, before anything else has started
        with supervise_worker():
            place = f"http://{address}:{listener.getsockname()[1]}"
            print(f"Bitlens is on {place} (Ctrl-C ends it)", file=sys.stderr, flush=True)
            uvicorn.Server(config).run(sockets=[listener])
    return 0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, or an error that says what is wrong with the address."""
    if not 0 <= port <= 65535:
        raise InvalidInput("serve.port-invalid", port=port)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's delay off for sockets that say TCP, and only for those.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict("serve.port-taken", host=host, port=port) from error
        raise InvalidInput(
            "serve.address-unusable", host=host, port=port, reason=error.strerror or str(error)
        ) from error
    return listener
