import sqlite3
import subprocess
import sys
import time
from itertools import count

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.errors import Conflict, NotFound, StorageFull
from app.records import Records, new_id, records_url
from app.records.schema import METADATA

SHA = "0" * 64
HOUR = 3600


@pytest.fixture
def records(tmp_path):
    records = Records(records_url(tmp_path))
    yield records
    records.close()


@pytest.fixture
def owner(records):
    return records.owner_of(records.create_owner())


def add_file(records, owner, name="model.safetensors"):
    return records.add_file(owner, name, 100, SHA, "owners/o/f/upload.safetensors")


def test_an_owner_is_known_by_a_secret_that_is_kept_nowhere(records, tmp_path):
    secret = records.create_owner()
    assert len(secret) >= 43  # 256 bits
    owner = records.owner_of(secret)
    assert owner == Records.owner_of(records, secret)
    assert records.owner_of(secret + "x") is None
    assert records.owner_of("") is None
    assert records.owner_of("\udc80") is None
    assert secret.encode() not in (tmp_path / "records.db").read_bytes()


def test_a_full_disk_is_named(records, owner):
    def limit_to_present_size(connection):
        connection.exec_driver_sql("PRAGMA max_page_count=1")

    sa.event.listen(records._database._engine, "begin", limit_to_present_size)
    endless = (add_file(records, owner, "x" * 1000) for _ in count())
    with pytest.raises(StorageFull, match=r"storage\.full"):
        list(endless)
    kept = records.list_files(owner)
    records.remove_file(owner, kept[0].id)
    assert len(records.list_files(owner)) == len(kept) - 1


def test_the_database_is_private_and_durable(records, tmp_path):
    assert (tmp_path / "records.db").stat().st_mode & 0o777 == 0o600
    with records._database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_strangers_id_and_an_unknown_one_are_answered_alike(records, owner):
    stranger = records.owner_of(records.create_owner())
    file = add_file(records, owner)
    job = records.add_job(owner, file.id, {"scheme": "int8"})
    asks = {
        file.id: [records.find_file, records.remove_file, lambda who, what: records.add_job(who, what, {})],
        job.id: [records.find_job, records.remove_job],
    }
    for wanted, questions in asks.items():
        for ask in questions:
            answers = []
            for what in (wanted, new_id(), "a\0b", "\ud800", "", "x" * 65):
                with pytest.raises(NotFound) as refused:
                    ask(stranger, what)
                answers.append((refused.value.code, dict(refused.value.figures)))
            assert answers == [("record.unknown", {})] * 6
    assert records.list_files(stranger) == records.list_jobs(stranger) == []
    assert records.bytes_of(stranger) == 0
    assert records.find_file(owner, file.id) == file
    assert records.find_job(owner, job.id) == job


def test_what_is_known_of_a_file(records, owner):
    file = add_file(records, owner)
    assert (file.is_analysed, file.refusal, records.analysis(file.id)) == (False, None, None)
    records.save_analysis(file.id, {"tensors": [1]})
    records.save_analysis(file.id, {"tensors": [2]})
    assert records.analysis(file.id) == {"tensors": [2]}
    assert records.find_file(owner, file.id).is_analysed
    other = add_file(records, owner, "b")
    records.refuse_file(other.id, "file.bad", {"position": 3})
    refusal = records.find_file(owner, other.id).refusal
    assert (refusal.code, refusal.figures) == ("file.bad", {"position": 3})
    assert [found.id for found in records.list_files(owner)] == [other.id, file.id]


def test_a_result_that_comes_too_late_is_dropped(records, owner):
    file = add_file(records, owner)
    job = records.add_job(owner, file.id, {})
    records.remove_file(owner, file.id)
    records.save_analysis(file.id, {})
    assert records.analysis(file.id) is None
    assert records.find_job(owner, job.id).file == file.id  # a job outlives its file
    records.remove_job(owner, job.id)
    records.save_report(job.id, {}, 5)
    assert records.report(job.id) is None


def test_a_document_with_a_nan_is_refused_and_changes_nothing(records, owner):
    file = add_file(records, owner)
    records.save_analysis(file.id, {"mean": 1.5})
    with pytest.raises(ValueError, match="JSON"):
        records.save_analysis(file.id, {"mean": float("nan")})
    assert records.analysis(file.id) == {"mean": 1.5}


def test_what_an_owner_takes(records, owner):
    file = add_file(records, owner)
    job = records.add_job(owner, file.id, {})
    assert records.bytes_of(owner) == 100
    records.save_report(job.id, {}, 40)
    records.save_report(job.id, {}, 25)
    assert records.bytes_of(owner) == 125
    records.expire_jobs(time.time() + HOUR)
    assert records.bytes_of(owner) == 100


def test_files_expire_but_for_those_in_use(records, owner):
    old, used, wanted = (add_file(records, owner, name) for name in ("old", "used", "wanted"))
    time.sleep(0.01)
    before = time.time()
    records.add_job(owner, wanted.id, {})
    young = add_file(records, owner, "young")
    assert [file.id for file in records.expire_files(before, in_use={used.id})] == [old.id]
    assert {file.id for file in records.list_files(owner)} == {used.id, wanted.id, young.id}
    with pytest.raises(NotFound):
        records.add_job(owner, old.id, {})


def test_jobs_expire_by_the_time_of_their_end(records, owner):
    file = add_file(records, owner)
    done, running = records.add_job(owner, file.id, {}), records.add_job(owner, file.id, {})
    time.sleep(0.01)
    before = time.time()
    late = records.add_job(owner, file.id, {})
    assert [job.id for job in records.expire_jobs(before, in_use={running.id})] == [done.id]
    assert records.find_job(owner, done.id).expired_at is not None
    records.save_report(running.id, {}, 1)  # ended after `before`
    assert records.expire_jobs(before) == []
    assert records.known_ids() == {file.id, running.id, late.id}
    assert records.forget_expired_jobs(time.time() + 1) == 1
    assert {job.id for job in records.list_jobs(owner)} == {running.id, late.id}


def test_what_was_recorded_but_never_done_can_be_found(records, owner):
    file, analysed, refused = (add_file(records, owner, name) for name in "abc")
    records.save_analysis(analysed.id, {})
    records.refuse_file(refused.id, "file.bad", {})
    job, reported = records.add_job(owner, file.id, {"a": 1}), records.add_job(owner, file.id, {})
    records.save_report(reported.id, {}, 1)
    later = time.time() + 1
    assert [found.id for found in records.unanalysed_files(later)] == [file.id]
    assert [(found.id, key) for found, key in records.unreported_jobs(later)] == [(job.id, file.key)]
    assert records.unanalysed_files(0) == records.unreported_jobs(0) == []


def test_owners_without_anything_are_forgotten_after_a_while(records, owner):
    add_file(records, owner)
    idle = records.create_owner()
    assert records.remove_idle_owners(time.time() - HOUR) == 0
    assert records.remove_idle_owners(time.time() + 1) == 1
    assert records.owner_of(idle) is None
    assert len(records.list_files(owner)) == 1


def test_two_processes_write_at_once(records, owner, tmp_path):
    program = (
        "import sys; from pathlib import Path; from app.records import Records, records_url\n"
        "r = Records(records_url(Path(sys.argv[1])))\n"
        "for n in range(25):\n"
        f"  f = r.add_file({owner!r}, str(n), 1, '0' * 64, 'owners/o/f/x'); r.save_analysis(f.id, {{}})\n"
        "r.close()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    processes = [subprocess.Popen(command) for _ in range(2)]
    while any(process.poll() is None for process in processes):
        records.list_files(owner)
    assert [process.returncode for process in processes] == [0, 0]
    files = records.list_files(owner)
    assert len(files) == 50
    assert all(file.is_analysed for file in files)


def test_a_database_of_a_newer_version_is_refused(records, tmp_path):
    connection = sqlite3.connect(tmp_path / "records.db")
    connection.execute("UPDATE schema_version SET version = 99")
    connection.commit()
    connection.close()
    with pytest.raises(Conflict) as refused:
        Records(records_url(tmp_path))
    assert refused.value.code == "records.newer"
    assert refused.value.figures["found"] == 99


def test_the_tables_are_postgresqls_too():
    statements = [
        str(sa.schema.CreateTable(table).compile(dialect=postgresql.dialect())) for table in METADATA.tables.values()
    ]
    assert any("BIGINT" in statement for statement in statements)
