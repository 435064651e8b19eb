"""Refuses requests that another site makes a browser send; no tokens to leak or expire."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteRefusal:
    """Lets a state-changing request pass only from our own pages, from the address bar, or from no browser at all."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and is_cross_site(Headers(scope=scope)):
            raise Forbidden("request.cross-site")
        await self.app(scope, receive, send)


def is_cross_site(headers: Headers) -> bool:
    """Fetch metadata decides; without it the origin must be the host that is addressed (older browsers).

    Hosts are compared rather than whole origins, because a proxy that ends TLS hides the scheme. A client that sends
    neither header is no browser, so nobody's cookie is being misused.
    """
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site not in {"same-origin", "none"}
    origin = headers.get("origin")
    if origin is None:
        return False
    scheme, separator, host = origin.partition("://")
    return scheme not in {"http", "https"} or not separator or host.lower() != headers.get("host", "").lower()
