"""Puts the web application together: services, middlewares, routers, files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app import __version__
from app.settings import Settings
from app.web import assets, health, start
from app.web.body_limit import BodyLimit
from app.web.cross_site import CrossSiteRefusal
from app.web.failures import UnexpectedFailures, install_failure_handlers
from app.web.remembered_language import RememberedLanguage
from app.web.request_line import RequestLineLimit
from app.web.security_headers import SecurityHeaders

UPLOAD_PATHS = frozenset({"/api/v1/files", "/en/compress", "/zh/compress"})
"""Where a weight file may be posted; these routes count and bound their own bytes."""
BODY_LIMIT = 64 * 1024


def create_app(settings: Settings) -> FastAPI:
    """The application: pages, JSON interface, static files; background work is done by workers elsewhere."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield

    app = FastAPI(
        title="Bitlens",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    install_failure_handlers(app)
    _add_middlewares(app, settings)
    app.include_router(health.router)
    app.include_router(start.router)
    assets.mount(app)
    return app


def _add_middlewares(app: FastAPI, settings: Settings) -> None:
    """Innermost first: the last one added sees the request first and the response last."""
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)
    app.add_middleware(BodyLimit, limit=BODY_LIMIT, unlimited_paths=UPLOAD_PATHS)
    app.add_middleware(CrossSiteRefusal)
    app.add_middleware(RequestLineLimit)
    app.add_middleware(RememberedLanguage, secure=settings.secure_cookies)
    app.add_middleware(UnexpectedFailures)
    hosts = [f"[{host}]" if ":" in host else host for host in settings.allowed_hosts]
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(SecurityHeaders)
