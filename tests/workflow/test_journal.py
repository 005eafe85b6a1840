from __future__ import annotations

import asyncio
import multiprocessing
import sqlite3
import stat
import sys
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bhxh_sdk.blocking import run_blocking
from bhxh_sdk.errors import JournalError, WrongStateError
from bhxh_sdk.ports import Event
from bhxh_sdk.workflow import MemoryJournal, SqliteJournal
from bhxh_sdk.workflow.journal import SCHEMA_VERSION

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


def event(kind="started", **data):
    return Event(kind=kind, at=MOMENT, data=data)


@pytest.fixture(params=["memory", "sqlite"])
def journal(request, tmp_path):
    made = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.db")
    yield made
    made.close()


def test_events_come_back_as_they_were_added(journal):
    first, second = event(form="é", count=3, empty=None, yes=True), event("checked")
    run_blocking(journal.append("k", 0, first))
    run_blocking(journal.append("k", 1, second))
    assert run_blocking(journal.events("k")) == (first, second)


def test_an_unknown_key_has_no_events(journal):
    assert run_blocking(journal.events("nobody")) == ()


def test_keys_come_oldest_first(journal):
    for key in ("b", "a", "c"):
        run_blocking(journal.append(key, 0, event()))
    run_blocking(journal.append("b", 1, event("checked")))
    assert run_blocking(journal.keys()) == ("b", "a", "c")


@pytest.mark.parametrize("position", [0, 2, -1])
def test_a_position_that_is_not_the_next_one_is_refused(journal, position):
    run_blocking(journal.append("k", 0, event()))
    with pytest.raises(WrongStateError) as caught:
        run_blocking(journal.append("k", position, event("checked")))
    assert caught.value.code == "workflow.taken"
    assert len(run_blocking(journal.events("k"))) == 1


def test_a_document_is_kept_under_its_digest(journal):
    digest = run_blocking(journal.keep(b"<Hoso/>"))
    assert run_blocking(journal.keep(b"<Hoso/>")) == digest
    assert run_blocking(journal.kept(digest)) == b"<Hoso/>"


def test_a_missing_document_is_named(journal):
    with pytest.raises(JournalError) as caught:
        run_blocking(journal.kept("00"))
    assert caught.value.code == "workflow.document_missing"


def test_a_file_is_read_again_by_another_journal(tmp_path):
    path = tmp_path / "journal.db"
    first = SqliteJournal(str(path))
    run_blocking(first.append("k", 0, event()))
    second = SqliteJournal(path)
    assert run_blocking(second.events("k")) == (event(),)
    first.close()
    second.close()


def test_moments_are_stored_in_utc(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    vietnam = timezone(timedelta(hours=7))
    run_blocking(journal.append("k", 0, Event(kind="started", at=MOMENT.astimezone(vietnam))))
    assert run_blocking(journal.events("k"))[0].at.tzinfo == UTC
    journal.close()


def test_writing_is_durable_by_the_settings_that_were_measured(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file modes")
def test_only_its_owner_can_read_the_file(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    assert stat.S_IMODE((tmp_path / "journal.db").stat().st_mode) == 0o600
    journal.close()


def test_a_file_that_is_no_journal_is_refused(tmp_path):
    path = tmp_path / "journal.db"
    path.write_bytes(b"this is not a database, only some text that is long enough" * 40)
    with pytest.raises(JournalError) as caught:
        SqliteJournal(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes().startswith(b"this is not")


def test_a_journal_of_a_newer_version_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "journal.db"
    SqliteJournal(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(JournalError) as caught:
        SqliteJournal(path)
    assert caught.value.code == "workflow.journal_newer"


def test_a_path_that_cannot_be_opened_is_explained(tmp_path):
    with pytest.raises(JournalError):
        SqliteJournal(tmp_path / "missing" / "journal.db")


def test_a_document_changed_on_disk_is_not_handed_out(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    digest = run_blocking(journal.keep(b"<Hoso/>"))
    journal._connection.execute("UPDATE documents SET content = x'00'")
    with pytest.raises(JournalError):
        run_blocking(journal.kept(digest))
    journal.close()


def test_an_event_changed_on_disk_is_explained(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    run_blocking(journal.append("k", 0, event()))
    journal._connection.execute("UPDATE events SET data = 'not json'")
    with pytest.raises(JournalError):
        run_blocking(journal.events("k"))
    journal.close()


@pytest.mark.parametrize("data", ["[]", "5", "null", '"x"', "[" * 100_000])
def test_a_damaged_event_names_its_registration(tmp_path, data):
    journal = SqliteJournal(tmp_path / "journal.db")
    run_blocking(journal.append("k", 0, event()))
    journal._connection.execute("UPDATE events SET data = ?", (data,))
    with pytest.raises(JournalError) as caught:
        run_blocking(journal.events("k"))
    assert caught.value.reference == "k"
    journal.close()


def test_registrations_are_found_by_what_they_began_with(journal):
    run_blocking(journal.append("a", 0, event(form="one")))
    run_blocking(journal.append("b", 0, event(form="two")))
    run_blocking(journal.append("b", 1, event("checked", form="one")))
    run_blocking(journal.append("c", 0, event(form="one")))
    assert run_blocking(journal.begun_with("form", "one")) == ("a", "c")
    assert run_blocking(journal.begun_with("form", "three")) == ()


def test_a_name_that_sqlite_reads_otherwise_is_a_file_all_the_same(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    journal = SqliteJournal(":memory:")
    run_blocking(journal.append("k", 0, event()))
    journal.close()
    again = SqliteJournal(":memory:")
    assert run_blocking(again.keys()) == ("k",)
    again.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file modes")
def test_a_link_to_a_new_file_makes_a_file_for_its_owner_only(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "target.db")
    SqliteJournal(tmp_path / "link.db").close()
    assert stat.S_IMODE((tmp_path / "target.db").stat().st_mode) == 0o600


def test_what_fails_in_between_leaves_no_half_event(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    journal._connection.execute(
        "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END"
    )
    with pytest.raises(JournalError):
        run_blocking(journal.append("k", 0, event()))
    assert run_blocking(journal.keys()) == ()
    journal._connection.execute("DROP TRIGGER full")
    run_blocking(journal.append("k", 0, event()))
    journal.close()


def test_a_journal_shows_its_path(tmp_path):
    journal = SqliteJournal(tmp_path / "journal.db")
    assert repr(journal) == f"SqliteJournal({str(tmp_path / 'journal.db')!r})"
    journal.close()


def _claim(path: str, keys: int, answers) -> None:
    journal = SqliteJournal(path)
    won = 0
    for number in range(keys):
        try:
            run_blocking(journal.append(f"k{number}", 0, event()))
            won += 1
        except WrongStateError:
            pass
    journal.close()
    answers.put(won)


def test_two_processes_never_take_the_same_place(tmp_path):
    path = str(tmp_path / "journal.db")
    SqliteJournal(path).close()
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    workers = [context.Process(target=_claim, args=(path, 40, answers)) for _ in range(2)]
    for worker in workers:
        worker.start()
    won = [answers.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sum(won) == 40


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=20),
        max_size=4,
    )
)
def test_any_plain_data_round_trips(tmp_path_factory, data):
    journal = SqliteJournal(tmp_path_factory.mktemp("journal") / "journal.db")
    run_blocking(journal.append("k", 0, Event(kind="started", at=MOMENT, data=data)))
    assert run_blocking(journal.events("k"))[0].data == data
    journal.close()


def test_the_journal_works_inside_a_running_loop(tmp_path):
    async def inside() -> tuple[Event, ...]:
        journal = SqliteJournal(tmp_path / "journal.db")
        await journal.append("k", 0, event())
        found = await journal.events("k")
        journal.close()
        return found

    assert asyncio.run(inside()) == (event(),)
