"""Reads query parameters as text: each name at most once, none that the address does not know."""

from starlette.requests import Request

from app.errors import InvalidInput


def read_parameters(request: Request, *names: str, lists: frozenset[str] = frozenset()) -> dict[str, str]:
    """The parameters that are given, among `names` and `lists`.

    Those of `lists` may be repeated, as checkboxes do it: their texts are joined by spaces.

    Raises:
        InvalidInput: `request.unknown-parameter`, `request.repeated-parameter`.
    """
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in lists:
            given[name] = f"{given[name]} {value}" if name in given else value
            continue
        if name not in names:
            known = ", ".join((*names, *sorted(lists))) or "-"
            raise InvalidInput("request.unknown-parameter", name=name[:40], known=known)
        if name in given:
            raise InvalidInput("request.repeated-parameter", name=name)
        given[name] = value
    return given
