"""Who is asking: an anonymous secret in a cookie, or in `Authorization: Bearer` for scripts; no accounts."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Forbidden
from app.web.security_headers import OWNER_DEPENDENT
from app.web.services import services_of, workspace_of

LONGEST_SECRET = 200
ONE_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Ownership:
    """An owner, and the secret to hand out when it was made for this request."""

    owner: str
    new_secret: str | None = None


def known_owner(request: Request) -> str | None:
    """The owner of this request; None without a secret and with one that nobody has: the two look the same."""
    request.scope.setdefault("state", {})[OWNER_DEPENDENT] = True
    secret = _bearer_secret(request) or request.cookies.get(_cookie_name(request))
    if not secret or len(secret) > LONGEST_SECRET:
        return None
    return workspace_of(request).owner_of(secret)


KnownOwner = Annotated[str | None, Depends(known_owner)]


def known_or_new_owner(request: Request) -> Ownership:
    """For requests that store something: makes an owner for a browser that has none.

    Raises:
        Forbidden: `owner.unknown`, when a script sends a secret that nobody has: a new owner would hide its mistake.
    """
    owner = known_owner(request)
    if owner is not None:
        return Ownership(owner)
    if _bearer_secret(request) is not None:
        raise Forbidden("owner.unknown")
    workspace = workspace_of(request)
    secret = workspace.create_owner()
    created = workspace.owner_of(secret)
    assert created is not None
    return Ownership(created, secret)


def remember_owner(request: Request, response: Response, ownership: Ownership) -> None:
    """Hands a new owner's secret to the browser."""
    if ownership.new_secret is not None:
        response.set_cookie(
            _cookie_name(request),
            ownership.new_secret,
            max_age=ONE_YEAR,
            path="/",
            secure=services_of(request).settings.secure_cookies,
            httponly=True,
            samesite="lax",
        )


def _cookie_name(request: Request) -> str:
    return "__Host-owner" if services_of(request).settings.secure_cookies else "owner"


def _bearer_secret(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() or None if scheme.lower() == "bearer" else None
