"""Static files: their addresses carry a hash of the content, so a browser may keep them for ever."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

PACKAGE = Path(__file__).resolve().parent.parent


def static_directory() -> Path:
    """`app/_static` in an installed wheel, `static/` beside the package in a checkout."""
    installed = PACKAGE / "_static"
    return installed if installed.is_dir() else PACKAGE.parent / "static"


class LastingStaticFiles(StaticFiles):
    """Static files that are kept for a year when their address carries a version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = scope["query_string"] != b"" or "-" in Path(path).stem
        lasting = "public, max-age=31536000, immutable"
        response.headers["Cache-Control"] = lasting if versioned else "public, max-age=3600"
        return response


def mount(app: FastAPI) -> None:
    """Serve the static files under `/static`."""
    app.mount("/static", LastingStaticFiles(directory=static_directory()), name="static")
