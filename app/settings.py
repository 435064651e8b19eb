"""Every setting: one frozen table, read once from the environment (BITLENS_*)."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from app.errors import InvalidInput

GIB = 1 << 30
MIB = 1 << 20


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    try:
        return (Path(base) if base else Path.home() / ".local" / "share") / "bitlens"
    except RuntimeError:  # a container's user may have none
        raise InvalidInput("settings.no-home") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each field `name` is read from `BITLENS_NAME`; sizes are in bytes."""

    data_dir: Path = field(default_factory=_default_data_dir)
    """Uploads, results and the databases."""
    database_url: str | None = None
    """SQLAlchemy URL of records and job states; None: SQLite files in `data_dir`."""
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "::1")
    """Host names that requests may address, comma-separated; `*` allows all."""
    max_upload_bytes: int = 64 * GIB
    max_owner_bytes: int = 128 * GIB
    """What the files and results of one owner may take together."""
    max_owner_files: int = 50
    max_queued_jobs: int = 20
    """Unfinished jobs of all owners together; one more is refused until one ends."""
    min_free_bytes: int = 256 * MIB
    """Left free on the disk: an upload that would go below is refused."""
    upload_hours: int = 24
    result_hours: int = 72
    """How long uploads and results are kept."""
    worker_concurrency: int = 1
    """Jobs that one worker runs at a time."""
    child_memory_bytes: int = 8 * GIB
    """Address space of a job's process."""
    secure_cookies: bool = False
    """Behind https: the cookie becomes `__Host-owner` with Secure."""


# torch alone maps some hundred MiB: below, every job would fail while it loads.
_LEAST = {"worker_concurrency": 1, "child_memory_bytes": GIB}


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from `BITLENS_*`; what is not set keeps its default.

    Raises:
        InvalidInput: `settings.invalid` or `settings.too-small`, naming the variable and its value; `settings.no-home`.
    """
    environment = os.environ if environment is None else environment
    given: dict[str, object] = {}
    for setting in fields(Settings):
        variable = f"BITLENS_{setting.name.upper()}"
        text = environment.get(variable)
        if text is not None and text != "":
            given[setting.name] = _parse(variable, text, str(setting.type))
    settings = Settings(**given)  # type: ignore[arg-type]  # each value was parsed by its field's own type
    for name, least in _LEAST.items():
        if getattr(settings, name) < least:
            value = str(getattr(settings, name))
            raise InvalidInput("settings.too-small", variable=f"BITLENS_{name.upper()}", value=value, least=least)
    return settings


def _parse(variable: str, text: str, kind: str) -> object:
    if "Path" in kind:
        try:
            return Path(text).expanduser()
        except RuntimeError:
            raise InvalidInput("settings.invalid", variable=variable, value=text) from None
    if "tuple" in kind:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if "bool" in kind:
        if text.lower() in {"1", "true", "yes", "on"}:
            return True
        if text.lower() in {"0", "false", "no", "off"}:
            return False
        raise InvalidInput("settings.invalid", variable=variable, value=text)
    if "int" in kind:
        if text.isascii() and text.isdigit() and len(text) <= 18:
            return int(text)
        raise InvalidInput("settings.invalid", variable=variable, value=text)
    return text
