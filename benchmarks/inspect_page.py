"""Server time of the Inspect page, beside a bare FastAPI + Jinja2 page of the same size, in one run.

`python benchmarks/inspect_page.py [REQUESTS]` starts both servers on loopback, asks them in turn over one kept-alive
connection each, with a new number every time, and prints a table in Markdown.
"""

import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FORMATS = ("bfloat16", "float32", "float64", "float8_e4m3fn", "int8")
BARE = """
import sys
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment
rows = int(sys.argv[2])
template = Environment(autoescape=True).from_string(
    "<!doctype html><title>{{ value }}</title>"
    "<table>{% for row in rows %}<tr><td>{{ row }}</td></tr>{% endfor %}</table>")
app = FastAPI()

@app.get("/")
async def page(value: str = "") -> HTMLResponse:
    return HTMLResponse(template.render(value=value, rows=[f"{value} {row:040d}" for row in range(rows)]))

import uvicorn
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int) -> http.client.HTTPConnection:
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.connect()
        except OSError:
            time.sleep(0.1)
        else:
            return connection
    raise SystemExit("a server did not start")


def fetch(connection: http.client.HTTPConnection, path: str) -> tuple[float, int]:
    """Milliseconds and bytes of one page."""
    started = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    elapsed = (time.perf_counter() - started) * 1e3
    assert answer.status == 200, (path, answer.status, body[:200])
    return elapsed, len(body)


def paths(count: int) -> list[str]:
    chosen = random.Random(1)
    return [f"/en/inspect?value={chosen.uniform(-500, 500)!r}&format={chosen.choice(FORMATS)}" for _ in range(count)]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    ours_port, bare_port = free_port(), free_port()
    servers = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "BITLENS_DATA_DIR": folder}
        try:
            serve = [sys.executable, "-m", "app", "serve", "--port", str(ours_port)]
            servers.append(subprocess.Popen(serve, cwd=ROOT, env=environment))
            ours = wait_for(ours_port)
            sizes = [fetch(ours, path)[1] for path in paths(20)]
            rows = round(statistics.median(sizes) / 75)
            servers.append(subprocess.Popen([sys.executable, "-c", BARE, str(bare_port), str(rows)]))
            bare = wait_for(bare_port)
            times: dict[str, list[float]] = {"Inspect": [], "bare FastAPI + Jinja2": []}
            bytes_sent: dict[str, list[int]] = {name: [] for name in times}
            for path in paths(count):
                for name, connection, address in (
                    ("Inspect", ours, path),
                    ("bare FastAPI + Jinja2", bare, "/?value=" + path[-12:]),
                ):
                    elapsed, size = fetch(connection, address)
                    times[name].append(elapsed)
                    bytes_sent[name].append(size)
        finally:
            for server in servers:
                server.terminate()
                server.wait(timeout=30)
    base = statistics.median(times["bare FastAPI + Jinja2"])
    print("| page | median ms | p95 ms | median bytes | ratio |\n|---|---|---|---|---|")
    for name, values in times.items():
        p95 = statistics.quantiles(values, n=20)[-1]
        median = statistics.median(values)
        size = statistics.median(bytes_sent[name])
        print(f"| {name} | {median:.2f} | {p95:.2f} | {size:,.0f} | {median / base:.1f} |")


if __name__ == "__main__":
    main()
