"""Settings come from the environment, once, and a bad value is named."""

from pathlib import Path

import pytest

from app.errors import InvalidInput
from app.settings import GIB, Settings, load_settings
from app.wording import Language, say


def test_defaults_need_nothing() -> None:
    assert load_settings({}).max_upload_bytes == 64 * GIB
    assert load_settings({"BITLENS_MAX_UPLOAD_BYTES": ""}).max_upload_bytes == 64 * GIB
    assert load_settings({}).allowed_hosts == ("127.0.0.1", "localhost", "::1")


def test_every_kind_of_value_is_read() -> None:
    settings = load_settings(
        {
            "BITLENS_DATA_DIR": "/somewhere",
            "BITLENS_MAX_UPLOAD_BYTES": "1024",
            "BITLENS_ALLOWED_HOSTS": "bitlens.example, other.example",
            "BITLENS_SECURE_COOKIES": "yes",
            "BITLENS_DATABASE_URL": "postgresql://localhost/bitlens",
            "UNRELATED": "1",
        }
    )
    assert settings == Settings(
        data_dir=Path("/somewhere"),
        max_upload_bytes=1024,
        allowed_hosts=("bitlens.example", "other.example"),
        secure_cookies=True,
        database_url="postgresql://localhost/bitlens",
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BITLENS_MAX_UPLOAD_BYTES", "64GB"),
        ("BITLENS_MAX_UPLOAD_BYTES", "-1"),
        ("BITLENS_MAX_UPLOAD_BYTES", "9" * 30),
        ("BITLENS_SECURE_COOKIES", "maybe"),
        ("BITLENS_CHILD_MEMORY_BYTES", "100000000"),
        ("BITLENS_DATA_DIR", "~nobody-of-that-name/data"),
        ("BITLENS_WORKER_CONCURRENCY", "0"),
    ],
)
def test_a_bad_value_is_named(variable: str, value: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        load_settings({variable: value})
    for language in Language:
        assert variable in say(refused.value.code, refused.value.figures, language)


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(InvalidInput) as refused:
        load_settings({})
    assert refused.value.code == "settings.no-home"
    assert load_settings({"BITLENS_DATA_DIR": "/data"}).data_dir == Path("/data")
