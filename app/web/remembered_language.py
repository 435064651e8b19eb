"""Remembers the language of the last page read, so that `/` leads there."""

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.reader_language import COOKIE, language_of_path

ONE_YEAR = 365 * 24 * 3600


class RememberedLanguage:
    """Sets the language cookie when a page is read in another language than the one remembered."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self.attributes = f"Max-Age={ONE_YEAR}; Path=/; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        language = language_of_path(scope["path"]) if scope["type"] == "http" else None
        if language is None or Request(scope).cookies.get(COOKIE) == language:
            await self.app(scope, receive, send)
            return

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                MutableHeaders(scope=message).append("Set-Cookie", f"{COOKIE}={language}; {self.attributes}")
            await send(message)

        await self.app(scope, receive, send_with_cookie)
