"""Every failure becomes a clear answer: JSON under /api, a page elsewhere, never a stack trace."""

import logging
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import errors
from app.errors import AppError
from app.web.frame import language_of
from app.web.pages.errors import failure_page
from app.wording import Language, say

log = logging.getLogger(__name__)

STATUS_OF: dict[type[AppError], int] = {
    errors.InvalidInput: 422,
    errors.WeightFileError: 422,
    errors.NotFound: 404,
    errors.TooLarge: 413,
    errors.Conflict: 409,
    errors.Forbidden: 403,
    errors.StorageFull: 507,
    errors.Busy: 503,
}
RETRY_AFTER_SECONDS = "30"


def status_of(error: AppError) -> int:
    """The HTTP status of an error's class, or of the nearest class above it."""
    if error.code == "request.address-too-long":
        return 414
    return next((STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF), 500)


def failure_response(request: Request, error: AppError, status: int | None = None) -> Response:
    """The answer to a request that failed."""
    status = status or status_of(error)
    if request.url.path.startswith("/api/"):
        response: Response = JSONResponse(error_document(error), status)
    else:
        response = failure_page(request, say(error.code, error.figures, language_of(request)), status)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def error_document(error: AppError) -> dict[str, object]:
    """An error as JSON: the stable code, the sentence in English, and its figures."""
    message = say(error.code, error.figures, Language.ENGLISH)
    return {"error": {"code": error.code, "message": message, "detail": dict(error.figures)}}


def install_failure_handlers(app: FastAPI) -> None:
    """Answers for our own errors, for those of the framework, and for parameters that do not fit."""

    @app.exception_handler(AppError)
    async def on_app_error(request: Request, error: AppError) -> Response:
        return failure_response(request, error)

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        response = failure_response(request, _of_status(error.status_code), error.status_code)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def on_invalid_request(request: Request, error: RequestValidationError) -> Response:
        if any(problem["loc"][0] == "path" for problem in error.errors()):
            return failure_response(request, _of_status(404))
        return failure_response(request, errors.InvalidInput("request.invalid"))


def _of_status(status: int) -> AppError:
    match status:
        case 404:
            return errors.NotFound("request.no-such-address")
        case 405:
            return errors.InvalidInput("request.method")
        case _:
            return errors.InvalidInput("request.invalid")


class UnexpectedFailures:
    """Turns what middlewares raise, and faults of our own, into answers; a fault is logged with its trace."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def noting_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, noting_send)
        except AppError as error:
            if started:
                raise
            await failure_response(Request(scope), error)(scope, receive, send)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception:
            log.exception("failed to answer %s", scope["method"])
            if started:
                raise
            response = failure_response(Request(scope), AppError("request.fault"), 500)
            await response(scope, receive, send)
