"""From a view dataclass to HTML: the templates' environment and the choice between a page and its partial."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.web import assets, typography
from app.web.assets import PACKAGE, static_directory
from app.web.frame import LANGUAGE_COOKIE, language_of, page_frame
from app.wording import Language, translations

YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Rendering:
    """One environment a language: translations are bound to the compiled templates, so no request state is needed."""

    environments: Mapping[Language, Environment]


def install_rendering(app: FastAPI) -> None:
    """Give an application its templates (`app.state.rendering`) and its static files."""
    assets.mount(app)
    addresses = static_addresses(static_directory())
    app.state.rendering = Rendering({language: environment_in(language, addresses) for language in Language})


def template_directory() -> Path:
    """`app/_templates` in an installed wheel, `templates/` beside the package in a checkout."""
    installed = PACKAGE / "_templates"
    return installed if installed.is_dir() else PACKAGE.parent / "templates"


def static_addresses(folder: Path) -> Mapping[str, str]:
    """Address of each static file by its name, with a hash of its bytes, so that it may be cached for ever."""
    addresses = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            addresses[name] = f"/static/{name}?v={digest}"
    return addresses


def environment_in(language: Language, addresses: Mapping[str, str]) -> Environment:
    """The templates in one language; a name that a view does not have is an error, never an empty string."""
    environment = Environment(
        loader=FileSystemLoader(template_directory()),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    catalog = translations(language)
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # added by the i18n extension
        catalog.gettext, catalog.ngettext, newstyle=True, pgettext=catalog.pgettext, npgettext=catalog.npgettext
    )
    environment.globals["static"] = addresses.__getitem__
    environment.filters.update(typography.FILTERS)
    return environment


def render(
    request: Request,
    template: str,
    view: object,
    *,
    partial: str | None = None,
    status: int | HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page `template`, or `partial` (a template that the page itself includes) where htmx asks for one.

    A template sees `view`, `page` (the frame) and `static(name)`, nothing else.
    """
    rendering: Rendering = request.app.state.rendering
    language = language_of(request)
    name = partial if partial is not None and wants_partial(request) else template
    context: dict[str, Any] = {"view": view, "page": page_frame(request, language)}
    html = rendering.environments[language].get_template(name).render(context)
    response = HTMLResponse(html, status_code=int(status), headers=dict(headers or {}))
    for header in ("HX-Request", "HX-Request-Type", "Cookie"):
        response.headers.add_vary_header(header)
    response.headers["Content-Language"] = language.tag
    if request.cookies.get(LANGUAGE_COOKIE) != language:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR_SECONDS, httponly=True, samesite="lax")
    return response


def wants_partial(request: Request) -> bool:
    """Whether htmx will put the answer into a page that is there already."""
    return request.headers.get("hx-request-type") == "partial"
