import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.errors import NotFound, StorageFull
from app.storage import LocalStorage, owner_key, record_of

KEY = owner_key("a1b2", "record-1", "upload.safetensors")


@pytest.fixture
def storage(tmp_path):
    return LocalStorage(tmp_path / "data")


def everything_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def write_and_commit(writer):
    writer.write(b"data")
    writer.commit()


def store(storage, key, data):
    with storage.writer(key) as writer:
        writer.write(data)
        return writer.commit()


def test_what_is_committed_can_be_read_and_is_private(storage, tmp_path):
    data = os.urandom(100_000)
    stored = store(storage, KEY, data)
    assert (stored.bytes, stored.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    with storage.open(KEY) as file:
        assert file.read() == data
    assert storage.size(KEY) == len(data)
    assert storage.path(KEY).stat().st_mode & 0o777 == 0o600
    for folder in [tmp_path / "data", *storage.path(KEY).parents[:3]]:
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    assert everything_in(tmp_path) == ["upload.safetensors"]


def test_nothing_is_visible_before_the_commit(storage):
    with storage.writer(KEY) as writer:
        writer.write(b"half")
        assert not storage.exists(KEY)
        with pytest.raises(NotFound):
            storage.open(KEY)


@pytest.mark.parametrize("leave", ["abort", "exception", "end of the block"])
def test_what_is_not_committed_leaves_nothing(storage, tmp_path, leave):
    def half() -> None:
        with storage.writer(KEY) as writer:
            writer.write(b"half")
            if leave == "abort":
                writer.abort()
            if leave == "exception":
                raise KeyError

    if leave == "exception":
        with pytest.raises(KeyError):
            half()
    else:
        half()
    assert everything_in(tmp_path) == []


def test_a_crash_between_write_and_rename_leaves_nothing_visible_and_is_swept(storage, tmp_path):
    program = (
        "import os, signal, sys; from pathlib import Path; from app.storage import LocalStorage\n"
        "os.rename = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"w = LocalStorage(Path(sys.argv[1])).writer({KEY!r}); w.write(b'x' * 1000); w.commit()"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "data")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not storage.exists(KEY)
    [left] = everything_in(tmp_path)
    assert left.endswith(".part")
    assert storage.sweep_parts(3600, is_used=lambda key: False) == []  # it may still be written
    assert storage.sweep_parts(0, is_used=lambda key: record_of(key) == "record-1") == []
    assert len(storage.sweep_parts(0, is_used=lambda key: False)) == 1
    assert list((tmp_path / "data" / "owners").iterdir()) == []


def test_bytes_then_name_are_synced_in_that_order(storage, monkeypatch):
    calls = []
    sync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (calls.append(str(Path(f"/proc/self/fd/{fd}").readlink())), sync(fd)))
    monkeypatch.setattr(os, "rename", lambda *a, **k: (calls.append("rename"), rename(*a, **k)))
    writer = storage.writer(KEY)
    writer.write(b"data")
    calls.clear()
    writer.commit()
    assert calls[0].endswith(".part")
    assert calls[1:] == ["rename", str(storage.path(KEY).parent)]


def test_an_operating_system_that_takes_small_bites_gets_all(storage, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:7])))
    data = os.urandom(1000)
    store(storage, KEY, data)
    assert storage.path(KEY).read_bytes() == data


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "storage.full"), (errno.EDQUOT, "storage.full"), (errno.EIO, "storage.failed")],
)
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_failing_disk_is_named_and_leaves_nothing(storage, tmp_path, monkeypatch, call, number, code):
    def fail(*_arguments, **_named):
        raise OSError(number, os.strerror(number))

    with storage.writer(KEY) as writer:
        monkeypatch.setattr(os, call, fail)
        with pytest.raises(StorageFull) as refused:
            write_and_commit(writer)
    assert refused.value.code == code
    assert everything_in(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk takes root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_is_really_full(small_disk):
    storage = LocalStorage(small_disk)
    with pytest.raises(StorageFull) as refused:
        store(storage, KEY, bytes(2_000_000))
    assert refused.value.code == "storage.full"
    assert everything_in(small_disk) == []
    assert store(storage, KEY, bytes(500_000)).bytes == 500_000  # and it works again at once


def test_room_is_kept_free(small_disk):
    storage = LocalStorage(small_disk, min_free_bytes=1 << 20)
    assert storage.free_bytes() == 0
    with pytest.raises(StorageFull):
        storage.writer(KEY)


@pytest.mark.parametrize(
    "key", ["", "/", "/etc/passwd", "..", "owners/../../etc", "owners//x", "a/.hidden", "a\0b", "ü", "a/b/", "x" * 200]
)
def test_a_key_cannot_leave_the_root(storage, key):
    for use in (storage.path, storage.writer, storage.open, storage.delete, storage.delete_tree):
        with pytest.raises(ValueError, match="not a storage key"):
            use(key)


def test_links_are_not_followed(storage, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (tmp_path / "data" / "owners").mkdir()
    (tmp_path / "data" / "owners" / "a1b2").symlink_to(outside)
    with pytest.raises(OSError):
        storage.writer(KEY)
    storage.path("owners/real/r/x").parent.mkdir(parents=True)
    storage.path("owners/real/r/x").symlink_to(outside / "secret")
    with pytest.raises(OSError):
        storage.open("owners/real/r/x")
    storage.delete_tree("owners/a1b2")
    assert everything_in(outside) == ["secret"]
    assert not (tmp_path / "data" / "owners" / "a1b2").is_symlink()


def test_deleting_takes_empty_folders_along_but_no_neighbour(storage):
    other = owner_key("a1b2", "record-2", "upload.safetensors")
    store(storage, KEY, b"1")
    store(storage, other, b"2")
    storage.delete(KEY)
    storage.delete(KEY)
    assert not storage.path(KEY).parent.exists()
    assert storage.exists(other)
    assert [prefix for prefix, _ in storage.prefixes()] == ["owners/a1b2/record-2"]
    storage.delete_tree("owners/a1b2/record-2")
    assert not storage.path(other).parents[1].exists()


def test_tidying_beside_a_writer_does_not_disturb_it(storage):
    failures = []
    ends = time.monotonic() + 0.5

    def work(record: str) -> None:
        key = owner_key("a1b2", record, "x")
        try:
            while time.monotonic() < ends:
                store(storage, key, b"data")
                storage.delete(key)
        except Exception as error:  # noqa: BLE001 - collected for the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"r{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
