"""BITLENS_DATABASE_URL: which forms are taken, and what is said of a database that cannot be used."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.cli import main
from app.errors import AppError, InvalidInput
from app.jobs import JobClient, jobs_url
from app.records import Records, database_address, is_server_away, records_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_name_of_postgresql_means_the_driver_that_is_installed(scheme: str) -> None:
    url = sa.make_url(database_address(f"{scheme}://me:a%40b@db.example:5433/bitlens"))
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host, url.port) == ("me", "a@b", "db.example", 5433)
    assert url.query["connect_timeout"] == "10"
    assert records_url(Path("x"), str(scheme) + "://h/n") == jobs_url(Path("x"), str(scheme) + "://h/n")


def test_a_connect_timeout_of_ones_own_is_kept() -> None:
    assert sa.make_url(database_address("postgresql://h/n?connect_timeout=3")).query["connect_timeout"] == "3"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense", "mysql://me:hush@h/n", "postgresql+asyncpg://me:hush@h/n", "postgresql://me:hush@h",
        "postgresql://me:hush@h:port/n", "postgresql://me:hu@sh@h/n", "sqlite://", "sqlite:///:memory:",
    ],
)  # fmt: skip
def test_an_unusable_address_is_one_sentence_without_the_password(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        database_address(text)
    assert refused.value.code == "database.address-unusable"
    assert not refused.value.figures
    monkeypatch.setenv("BITLENS_DATABASE_URL", text)
    monkeypatch.setenv("BITLENS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BITLENS_ALLOWED_HOSTS", "127.0.0.1")  # which `serve` adds to: put back at the end
    assert main(["serve", "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("bitlens: BITLENS_DATABASE_URL")
    assert said.count("\n") == 1


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    url = database_address("postgresql://me:hush@127.0.0.1:1/weights")
    for open_database in (Records, JobClient):
        with pytest.raises(AppError) as refused:
            open_database(url)
        assert refused.value.code == "database.server-unusable"
        assert dict(refused.value.figures) == {
            "database": "weights", "host": "127.0.0.1", "reason": "Connection refused"
        }  # fmt: skip
        assert is_server_away(refused.value.__cause__ or Exception())


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "records.db"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(AppError) as refused:
        Records(records_url(tmp_path))
    assert refused.value.code == "database.file-unusable"
    assert refused.value.figures["path"] == str(path)
    assert not is_server_away(refused.value.__cause__ or Exception())
