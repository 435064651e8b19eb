"""The tables of owners, files and jobs: portable SQL, for SQLite and PostgreSQL alike."""

import sqlalchemy as sa

SCHEMA_VERSION = 1
"""Raised whenever a table changes; the code that raises it also moves older data."""

METADATA = sa.MetaData()

# Times are seconds since the epoch, UTC: both databases store and compare them alike.
_ID = sa.String(64)

schema_version = sa.Table("schema_version", METADATA, sa.Column("version", sa.Integer, nullable=False))

owners = sa.Table(
    "owners",
    METADATA,
    sa.Column("id", _ID, primary_key=True),  # sha256 of the secret, hexadecimal; the secret itself is nowhere
    sa.Column("created_at", sa.Float, nullable=False),
)

files = sa.Table(
    "files",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("owner", _ID, sa.ForeignKey("owners.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("refusal_code", sa.Text),
    sa.Column("refusal_figures", sa.Text),
)

analyses = sa.Table(
    "analyses",
    METADATA,
    sa.Column("file", _ID, sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)

# What is known of a file as soon as its header is read; the analysis, once there is one, says it too.
file_outlines = sa.Table(
    "file_outlines",
    METADATA,
    sa.Column("file", _ID, sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
)

# The figures of a file's tensors, one row each, while they are found and afterwards.
file_tensors = sa.Table(
    "file_tensors",
    METADATA,
    sa.Column("file", _ID, sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("figures", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
)

jobs = sa.Table(
    "jobs",
    METADATA,
    sa.Column("id", _ID, primary_key=True),
    sa.Column("owner", _ID, sa.ForeignKey("owners.id"), nullable=False, index=True),
    # No foreign key: a result outlives the upload that it was made from.
    sa.Column("file", _ID, nullable=False, index=True),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("result_key", sa.Text, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("expired_at", sa.Float),
)

reports = sa.Table(
    "reports",
    METADATA,
    sa.Column("job", _ID, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("result_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.Float, nullable=False),
)

# The same of what a job has made; tensors are found by their name, which may be long.
job_tensors = sa.Table(
    "job_tensors",
    METADATA,
    sa.Column("job", _ID, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name_hash", sa.String(64), primary_key=True),
    sa.Column("figures", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
)
