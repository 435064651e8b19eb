"""Limits on the address itself: its length, how many parameters it names, and that no name comes twice."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.errors import InvalidInput, TooLarge

URL_LIMIT = 16 * 1024
PARAMETER_LIMIT = 64


class RequestLineLimit:
    """Refuses addresses that are longer, or name more parameters, than any page of ours makes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query: bytes = scope["query_string"]
            if len(scope.get("raw_path") or b"") + len(query) > URL_LIMIT:
                raise TooLarge("request.address-too-long", limit=URL_LIMIT)
            if query.count(b"&") >= PARAMETER_LIMIT:
                raise InvalidInput("request.too-many-parameters", limit=PARAMETER_LIMIT)
        await self.app(scope, receive, send)
