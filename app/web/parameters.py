"""Reads query parameters as text: each name at most once, none that the address does not know."""

from starlette.requests import Request

from app.errors import InvalidInput


def read_parameters(request: Request, *names: str) -> dict[str, str]:
    """The parameters that are given, among `names`.

    Raises:
        InvalidInput: `request.unknown-parameter`, `request.repeated-parameter`.
    """
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise InvalidInput("request.unknown-parameter", name=name[:40], known=", ".join(names) or "-")
        if name in given:
            raise InvalidInput("request.repeated-parameter", name=name)
        given[name] = value
    return given
