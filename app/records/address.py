"""Which database `BITLENS_DATABASE_URL` names, written in the one form that records and job states both take."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from app.errors import AppError, InvalidInput, StorageFull

_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
}
_DISK_FULL = "53100"
"""PostgreSQL's name for it."""
_CONNECT_SECONDS = "10"
"""A host that swallows packets would otherwise be waited for as long as the kernel likes: minutes."""


def database_address(text: str) -> str:
    """The same address with its driver named, and a limit on how long a server may take to answer.

    Raises:
        InvalidInput: `database.address-unusable`, which does not quote the address: there may be a password in it.
    """
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidInput("database.address-unusable") from None
    driver = _DRIVERS.get(url.drivername)
    # An @ in the host is a password whose own @ was not escaped. A database in memory has no second process.
    if driver is None or url.database in (None, "", ":memory:") or "@" in (url.host or ""):
        raise InvalidInput("database.address-unusable")
    url = url.set(drivername=driver)
    if driver != "sqlite" and "connect_timeout" not in url.query:
        url = url.update_query_dict({"connect_timeout": _CONNECT_SECONDS})
    return url.render_as_string(hide_password=False)


@contextmanager
def database_failures(url: str) -> Iterator[None]:
    """While a database is opened and its tables are made: turns its refusal into a sentence without the password.

    Raises:
        AppError: `database.file-unusable`, `database.server-unusable`.
    """
    try:
        yield
    except sa.exc.DBAPIError as error:
        address = sa.make_url(url)
        reason = _reason(str(error.orig))
        if address.drivername.startswith("sqlite"):
            raise AppError("database.file-unusable", path=str(address.database), reason=reason) from error
        host = address.host or address.query.get("host") or "localhost"
        where = {"database": str(address.database), "host": host if isinstance(host, str) else ", ".join(host)}
        raise AppError("database.server-unusable", **where, reason=reason) from error


@contextmanager
def full_disk() -> Iterator[None]:
    """While a database is written: says in our words that its disk is full.

    Raises:
        StorageFull: `storage.full`.
    """
    try:
        yield
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or _sqlstate(error) == _DISK_FULL:
            raise StorageFull("storage.full") from error
        raise


def is_server_away(error: BaseException) -> bool:
    """Whether a statement failed because its server went away: one that is restarted comes back."""
    return isinstance(error, sa.exc.OperationalError) and not isinstance(error.orig, sqlite3.Error)


def wait_for_unreachable_servers() -> None:
    """Has dbos wait for a server that cannot be reached, in whatever words the driver says so.

    dbos knows one wording of several and takes the others for a failure of the job. What it heeds as well is
    SQLAlchemy's own mark of a lost connection, which is set here on every attempt to connect that failed.
    """
    sa.event.listen(sa.Engine, "handle_error", _mark_as_lost)


def _mark_as_lost(context: sa.engine.ExceptionContext) -> None:
    if context.connection is None and not isinstance(context.original_exception, sqlite3.Error):
        context.is_disconnect = True


def _sqlstate(error: sa.exc.DBAPIError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    return state


def _reason(said: str) -> str:
    """The driver's first line without what our sentence says already."""
    line = next(iter(said.strip().splitlines()), "no reason given")
    return line.rpartition(" failed: ")[2].removeprefix("FATAL:").strip().rstrip(".")
