"""Puts the web application together: services, middlewares, routers, files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from app import __version__
from app.jobs.client import JobClient
from app.jobs.options import jobs_url
from app.records import Records, records_url
from app.settings import Settings
from app.storage import LocalStorage
from app.tasks.upload import UploadLimits
from app.tasks.workspace import Workspace
from app.web import health, start
from app.web.api import compare as api_compare
from app.web.api import files as api_files
from app.web.api import formats as api_formats
from app.web.api import jobs as api_jobs
from app.web.api import numberline as api_numberline
from app.web.api import numbers as api_numbers
from app.web.api import quantize as api_quantize
from app.web.body_limit import BodyLimit
from app.web.cross_site import CrossSiteRefusal
from app.web.failures import UnexpectedFailures, install_failure_handlers
from app.web.head_requests import HeadRequests
from app.web.pages import (
    compare,
    compress,
    designer,
    files,
    formats,
    inspect,
    job_tensors,
    jobs,
    numberline,
    quantize,
    tensors,
    theme,
)
from app.web.rendering import install_rendering
from app.web.request_line import RequestLineLimit
from app.web.security_headers import SecurityHeaders
from app.web.services import Services
from app.web.stream_count import StreamCount

UPLOAD_PATHS = frozenset({"/api/v1/files", "/en/compress", "/zh/compress", "/en/quantize", "/zh/quantize"})
"""Where a weight file or a pasted matrix may be posted; these routes count and bound their own bytes."""
BODY_LIMIT = 64 * 1024
BODY_LIMITS = {"/api/v1/quantize": api_quantize.BODY_LIMIT}
ROUTERS = (
    health.router,
    api_numbers.router,
    api_numberline.router,
    api_formats.router,
    api_compare.router,
    api_quantize.router,
    api_files.router,
    api_jobs.router,
    inspect.router,
    formats.router,
    numberline.router,
    designer.router,
    compare.router,
    quantize.router,
    compress.router,
    tensors.router,
    files.router,
    job_tensors.router,
    jobs.router,
    theme.router,
    start.router,
)


def create_app(settings: Settings) -> FastAPI:
    """The application: pages, JSON interface, static files; background work is done by workers elsewhere."""
    records = Records(records_url(settings.data_dir, settings.database_url))
    jobs = JobClient(jobs_url(settings.data_dir, settings.database_url))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        jobs.close()
        records.close()

    app = FastAPI(
        title="Bitlens",
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.services = Services(settings, _workspace(settings, records, jobs), StreamCount())
    install_failure_handlers(app)
    _add_middlewares(app, settings)
    for router in ROUTERS:
        app.include_router(router)
    install_rendering(app)
    return app


def _workspace(settings: Settings, records: Records, jobs: JobClient) -> Workspace:
    storage = LocalStorage(settings.data_dir, settings.min_free_bytes)
    limits = UploadLimits(
        max_upload_bytes=settings.max_upload_bytes,
        max_owner_bytes=settings.max_owner_bytes,
        max_owner_files=settings.max_owner_files,
    )
    return Workspace(records, storage, jobs, limits, max_queued_jobs=settings.max_queued_jobs)


def _add_middlewares(app: FastAPI, settings: Settings) -> None:
    """Innermost first: the last one added sees the request first and the response last."""
    incompressible = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")
    app.add_middleware(HeadRequests)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=5, exclude_content_types=incompressible)
    app.add_middleware(BodyLimit, limit=BODY_LIMIT, unlimited_paths=UPLOAD_PATHS, limits=BODY_LIMITS)
    app.add_middleware(CrossSiteRefusal)
    app.add_middleware(RequestLineLimit)
    app.add_middleware(UnexpectedFailures)
    hosts = [f"[{host}]" if ":" in host else host for host in settings.allowed_hosts]
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)
    app.add_middleware(SecurityHeaders)
