"""What the routes work with, built once by `create_app` and found through the request."""

from dataclasses import dataclass

from starlette.requests import Request

from app.settings import Settings
from app.tasks.workspace import Workspace
from app.web.stream_count import StreamCount


@dataclass(frozen=True, slots=True)
class Services:
    """One set per application."""

    settings: Settings
    workspace: Workspace
    streams: StreamCount


def services_of(request: Request) -> Services:
    """The services of the application that serves this request."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def workspace_of(request: Request) -> Workspace:
    """The use cases of files and jobs."""
    return services_of(request).workspace
