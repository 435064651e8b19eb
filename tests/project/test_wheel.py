"""The wheel carries its templates and static files: installed elsewhere, without this checkout, it serves pages."""

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STARTUP_SECONDS = 60


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def test_wheel_holds_pages_styles_and_catalogs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "app/_templates/base.html" in names
    assert any(name.startswith("app/_static/") and name.endswith(".css") for name in names)
    assert "app/wording/zh/numbers.po" in names
    assert not any(name.startswith(("tests/", "benchmarks/", "docs/")) for name in names)


@pytest.fixture
def fresh_python(wheel: Path, tmp_path: Path) -> Path:
    """An environment with this wheel alone; its dependencies are lent by the one that runs the tests."""
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([str(python), "-c", ask], capture_output=True, text=True, check=True)
    target = done.stdout.strip()
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        target,
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    (Path(target) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def test_installed_wheel_serves_a_page(fresh_python: Path, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "BITLENS_DATA_DIR": str(tmp_path / "data")}
    command = [str(fresh_python), "-m", "app", "serve", "--port", str(port)]
    log = (tmp_path / "log").open("w+b")
    server = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        page = _get(f"http://127.0.0.1:{port}/en/inspect", server)
        assert "0.10009765625" in page
        style = next(part for part in page.split('"') if part.startswith("/static/") and ".css" in part)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{style}", timeout=10) as answer:
            assert answer.headers["content-type"].startswith("text/css")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=20)
        log.close()


def _get(url: str, server: "subprocess.Popen[bytes]") -> str:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < deadline, "the server did not answer in time"
            time.sleep(0.2)
