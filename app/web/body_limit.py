"""A cap on what a request's body may hold, counted as it arrives."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import TooLarge


class BodyLimit:
    """Bounds every body but those of `unlimited_paths`, whose routes count for themselves; some paths have their own.

    A declared length is checked before anything is read; a chunked body is cut off at the first byte too many.
    """

    def __init__(self, app: ASGIApp, limit: int, unlimited_paths: AbstractSet[str], limits: Mapping[str, int]) -> None:
        self.app = app
        self.limit = limit
        self.unlimited_paths = unlimited_paths
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"] == "POST" and scope["path"] in self.unlimited_paths):
            await self.app(scope, receive, send)
            return
        limit = self.limits.get(scope["path"], self.limit)
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
            raise TooLarge("request.body-too-large", limit=limit)
        received = 0

        async def counted_receive() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise TooLarge("request.body-too-large", limit=limit)
            return message

        await self.app(scope, counted_receive, send)
