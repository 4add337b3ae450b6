"""What every repository promises; a new adapter joins by one more param."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from aiops import plugins
from aiops.app.investigate import investigate
from aiops.errors import AlreadyKept, NotKept
from aiops.model.investigation import AuditEntry, Investigation
from aiops.model.report import Report
from aiops.ports.repositories import AuditLog, BlobStore, InvestigationRepo
from aiops.store.clock import ManualClock
from aiops.store.repositories import MemoryAudit, MemoryBlobs, MemoryInvestigations
from aiops.store.sql.audit import SqlAudit
from aiops.store.sql.blobs import SqlBlobs
from aiops.store.sql.investigations import SqlInvestigations
from aiops_datasets.synthetic import plant, specified

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADAPTERS = ("memory", "sqlite", "postgresql")


@pytest.fixture(scope="module")
def report() -> Report:
    """A real one."""
    return investigate(plant(specified("synthetic:7")).data, plugins.analyzer("baro"))


@pytest.fixture(params=ADAPTERS)
def investigations(
    request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]
) -> InvestigationRepo:
    """An empty repository."""
    if request.param == "memory":
        return MemoryInvestigations()
    return SqlInvestigations(engine_on(request.param))


@pytest.fixture(params=ADAPTERS)
def blobs(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> BlobStore:
    """An empty blob store."""
    if request.param == "memory":
        return MemoryBlobs()
    return SqlBlobs(engine_on(request.param), ManualClock(NOON))


@pytest.fixture(params=ADAPTERS)
def audit(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> AuditLog:
    """An empty log."""
    if request.param == "memory":
        return MemoryAudit()
    return SqlAudit(engine_on(request.param))


def investigation(report: Report, name: str, about: str, minutes: int) -> Investigation:
    return Investigation(name, about, NOON + timedelta(minutes=minutes), report)


def entry(action: str) -> AuditEntry:
    return AuditEntry(NOON, "ana", action, "deployment/cart", "done")


# ---- investigations


def test_an_investigation_is_got_back_whole(
    investigations: InvestigationRepo, report: Report
) -> None:
    saved = investigation(report, "inv-1", "inc-1", 0)
    investigations.save(saved)
    got = investigations.get("inv-1")
    assert got == saved
    assert got.report.evidence
    assert got.at.tzinfo is not None


def test_the_newest_comes_first_whatever_the_order_of_saving(
    investigations: InvestigationRepo, report: Report
) -> None:
    for name, minutes in (("inv-b", 5), ("inv-c", 1), ("inv-a", 9)):
        investigations.save(investigation(report, name, "inc-1", minutes))
    assert [each.id for each in investigations.newest()] == ["inv-a", "inv-b", "inv-c"]


def test_those_that_ended_together_come_in_descending_order_of_their_ids(
    investigations: InvestigationRepo, report: Report
) -> None:
    for name in ("inv-2", "inv-3", "inv-1"):
        investigations.save(investigation(report, name, "inc-1", 0))
    assert [each.id for each in investigations.newest()] == ["inv-3", "inv-2", "inv-1"]


def test_only_those_about_one_incident_are_listed_and_no_more_than_asked(
    investigations: InvestigationRepo, report: Report
) -> None:
    for number in range(6):
        about = "odd" if number % 2 else "even"
        investigations.save(investigation(report, f"inv-{number}", about, number))
    assert [each.id for each in investigations.newest("odd")] == ["inv-5", "inv-3", "inv-1"]
    assert [each.id for each in investigations.newest("odd", limit=2)] == ["inv-5", "inv-3"]
    assert [each.id for each in investigations.newest(limit=1)] == ["inv-5"]
    assert investigations.newest("nothing") == ()


def test_saving_the_same_again_changes_nothing_and_another_under_its_id_is_refused(
    investigations: InvestigationRepo, report: Report
) -> None:
    saved = investigation(report, "inv-1", "inc-1", 0)
    investigations.save(saved)
    investigations.save(saved)
    with pytest.raises(AlreadyKept, match="inv-1"):
        investigations.save(replace(saved, about="inc-2"))
    assert investigations.newest() == (saved,)


def test_an_id_that_is_not_kept_is_refused_by_its_name(investigations: InvestigationRepo) -> None:
    with pytest.raises(NotKept, match="no investigation 'inv-9'"):
        investigations.get("inv-9")


# ---- blobs


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"<html>" * 100_000], ids=len)
def test_bytes_are_kept_under_their_sha256(blobs: BlobStore, data: bytes) -> None:
    digest = blobs.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert blobs.get(digest) == data


def test_the_same_bytes_twice_have_one_name_and_others_another(blobs: BlobStore) -> None:
    first = blobs.put(b"report")
    assert blobs.put(b"report") == first != blobs.put(b"report ")


@pytest.mark.parametrize("digest", ["0" * 64, "", "../../etc/passwd", "xyz"])
def test_a_digest_that_names_nothing_is_refused(blobs: BlobStore, digest: str) -> None:
    blobs.put(b"something else")
    with pytest.raises(NotKept):
        blobs.get(digest)


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_every_blob_can_be_got_back(pieces: list[bytes]) -> None:
    blobs = MemoryBlobs()
    digests = [blobs.put(piece) for piece in pieces]
    assert [blobs.get(digest) for digest in digests] == pieces


# ---- audit


def test_entries_are_numbered_from_one_and_read_in_order(audit: AuditLog) -> None:
    assert [audit.append(entry(name)) for name in ("scale", "restart")] == [1, 2]
    assert list(audit.entries()) == [(1, entry("scale")), (2, entry("restart"))]


def test_an_equal_entry_is_an_entry_of_its_own(audit: AuditLog) -> None:
    audit.append(entry("restart"))
    audit.append(entry("restart"))
    assert [number for number, _ in audit.entries()] == [1, 2]


def test_reading_goes_on_after_the_last_number_seen(audit: AuditLog) -> None:
    for number in range(5):
        audit.append(entry(f"step {number}"))
    assert [number for number, _ in audit.entries(after=3)] == [4, 5]
    assert list(audit.entries(after=5)) == list(audit.entries(after=99)) == []


def test_what_is_appended_while_reading_is_left_to_the_next_reader(audit: AuditLog) -> None:
    audit.append(entry("first"))
    reading = audit.entries()
    audit.append(entry("second"))
    assert [number for number, _ in reading] == [1]


def test_entries_from_many_threads_are_all_kept_each_under_its_number(audit: AuditLog) -> None:
    names = [f"call {i}" for i in range(200)]
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda name: audit.append(entry(name)), names))
    assert sorted(numbers) == list(range(1, 201))
    assert {number: kept.action for number, kept in audit.entries()} == dict(
        zip(numbers, names, strict=True)
    )
