"""Connections to the records: whole transactions only, safe for several processes at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.errors import Conflict
from app.records.address import database_address, database_failures, full_disk
from app.records.schema import METADATA, SCHEMA_VERSION, schema_version
from app.storage import private_file

_BUSY_MILLISECONDS = 30_000
_SCHEMA_LOCK = 7_361_115_020_261_123  # any number, the same in every process


def records_url(data_dir: Path, database_url: str | None = None) -> str:
    """Where the records live: the given database, else a SQLite file in `data_dir`."""
    return database_address(database_url) if database_url else f"sqlite:///{data_dir.absolute() / 'records.db'}"


class Database:
    """An engine whose read and write transactions are told apart, since SQLite locks for the latter at once."""

    def __init__(self, url: str) -> None:
        self._engine = _sqlite_engine(url) if url.startswith("sqlite") else _server_engine(url)
        try:
            with database_failures(url), self.write() as connection:
                _prepare_schema(connection)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """One consistent view."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """All or nothing, durable when it returns.

        Raises:
            StorageFull: `storage.full`.
        """
        with (
            full_disk(),
            self._engine.connect().execution_options(bitlens_write=True) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Gives the connections back."""
        self._engine.dispose()


def _sqlite_engine(url: str) -> sa.Engine:
    path = sa.make_url(url).database
    if path and path != ":memory:":
        private_file(Path(path))
    engine = sa.create_engine(url)

    @sa.event.listens_for(engine, "connect")
    def configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        connection.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
        # Not WAL: several writers can corrupt it in many installed versions of SQLite (3.7.0 to 3.51.2).
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # A transaction that reads first and writes later could meet another such one and fail: lock at once.
        is_write = connection.get_execution_options().get("bitlens_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

    return engine


def _server_engine(url: str) -> sa.Engine:
    return sa.create_engine(url, pool_pre_ping=True)


def _prepare_schema(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":  # two processes may start at the same moment
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_SCHEMA_LOCK)))
    METADATA.create_all(connection)
    found = connection.execute(sa.select(schema_version.c.version)).scalar()
    if found is None:
        connection.execute(schema_version.insert().values(version=SCHEMA_VERSION))
    elif found > SCHEMA_VERSION:
        # Older code must not write what newer code will read: say so instead of guessing.
        raise Conflict("records.newer", found=found, known=SCHEMA_VERSION)
