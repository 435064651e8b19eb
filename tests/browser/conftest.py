"""A real server and a real Chromium; a page that says anything on its console fails its test."""

import importlib.util
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import uvicorn
from playwright.sync_api import Page

from app.settings import Settings
from app.web.application import create_app

LAUNCH_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _find_browser_module() -> ModuleType:
    path = Path(__file__).parents[1] / "find_browser.py"
    spec = importlib.util.spec_from_file_location("find_browser", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    path = _find_browser_module().find_browser()
    assert path is not None, "no Chromium: run `python tests/find_browser.py --install`"
    return {"executable_path": path, "args": list(LAUNCH_ARGUMENTS)}


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The application on a free port of this machine, ended after the last test."""
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data")))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive(), "the server ended before it served"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive(), "the server did not end"


class Expected:
    """What a test says beforehand that the console may hold: refused requests are noted there by the browser."""

    def __init__(self) -> None:
        self.statuses: set[int] = set()


@pytest.fixture
def expected() -> Expected:
    return Expected()


@pytest.fixture(autouse=True)
def silent_console(page: Page, expected: Expected) -> Iterator[None]:
    """Console messages, uncaught errors and violations of the content policy fail the test."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
    yield
    allowed = {f"responded with a status of {status}" for status in expected.statuses}
    assert [text for text in said if not any(each in text for each in allowed)] == []
