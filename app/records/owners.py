"""Owners: whoever holds a secret; only its hash is kept."""

import hashlib
import secrets
import time

import sqlalchemy as sa

from app.records.database import Database
from app.records.schema import files, jobs, owners

_SECRET_BYTES = 32


class OwnerRecords:
    """The part of the records about owners."""

    def __init__(self, database_url: str) -> None:
        self._database = Database(database_url)

    def close(self) -> None:
        """Gives the connections back."""
        self._database.close()

    def create_owner(self) -> str:
        """A new owner's secret of 256 bits: to be shown to them once, and kept nowhere."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        with self._database.write() as connection:
            connection.execute(owners.insert().values(id=_hash(secret), created_at=time.time()))
        return secret

    def owner_of(self, secret: str) -> str | None:
        """The owner's id, or None for a secret that nobody has."""
        owner = _hash(secret)
        with self._database.read() as connection:
            return connection.execute(sa.select(owners.c.id).where(owners.c.id == owner)).scalar()

    def remove_idle_owners(self, created_before: float) -> int:
        """Forgets owners who have nothing here, and says how many."""
        has_file = sa.exists().where(files.c.owner == owners.c.id)
        has_job = sa.exists().where(jobs.c.owner == owners.c.id)
        idle = owners.delete().where(owners.c.created_at < created_before, ~has_file, ~has_job)
        with self._database.write() as connection:
            return connection.execute(idle).rowcount


def _hash(secret: str) -> str:
    # No salt and no stretching: 256 random bits cannot be guessed, and the hash is what a look-up needs.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
