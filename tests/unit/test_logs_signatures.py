"""Known phrases of common runtimes: what they mean and whom they accuse."""

from datetime import UTC, datetime

import pytest

from aiops.analyze.logs.accused import Witnesses
from aiops.analyze.logs.addresses import address_book
from aiops.analyze.logs.signatures import SIGNATURES, named, signature_of
from aiops.analyze.logs.statements import level_of
from aiops.model import CaseData, FaultType, RecordedOutput, TelemetryWindow

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SERVICES = """\
NAME        TYPE        CLUSTER-IP     EXTERNAL-IP   PORT(S)    AGE
ledger-db   ClusterIP   10.68.1.7      <none>        3306/TCP   2d
billing     ClusterIP   10.68.1.9      <none>        8080/TCP   2d
"""
PODS = """\
NAME                       READY   STATUS    IP            NODE
billing-79b49f5555-6cjqt   1/1     Running   172.20.3.37   n1
ledger-db-0                1/1     Running   172.20.3.38   n1
"""


def case(*outputs: str) -> CaseData:
    state = tuple(RecordedOutput(f"get {i}", text) for i, text in enumerate(outputs))
    return CaseData("x", TelemetryWindow(NOW, NOW, cluster_state=state))


@pytest.mark.parametrize(
    ("text", "kind", "fault"),
    [
        ("java.lang.OutOfMemoryError: Java heap space", "out_of_memory", FaultType.OOM),
        ("FATAL ERROR: JavaScript heap out of memory", "out_of_memory", FaultType.OOM),
        ("write /data/x: no space left on device", "disk_full", FaultType.DISK),
        ("ERROR: could not extend file base/1: wrote only 4096", "disk_full", FaultType.DISK),
        ("open /data/x: read-only file system", "file_system_read_only", FaultType.STORAGE),
        ("server is running with the --read-only option", "database_read_only", FaultType.ERROR),
        ("ERROR 1040 (HY000): Too many connections", "connections_exhausted",
         FaultType.CONNECTION_POOL),
        ("HikariPool-1 - Connection is not available, request timed out after 30000ms",
         "connection_pool_exhausted", FaultType.CONNECTION_POOL),
        ("Access denied for user 'app'@'10.0.0.3' (using password: YES)", "credentials_refused",
         FaultType.CREDENTIAL),
        ('FATAL: password authentication failed for user "app"', "credentials_refused",
         FaultType.CREDENTIAL),
        ("NOAUTH Authentication required.", "credentials_refused", FaultType.CREDENTIAL),
        ("dial tcp: lookup ledger on 10.0.0.10:53: no such host", "name_not_resolved",
         FaultType.DNS),
        ("java.net.UnknownHostException: ledger", "name_not_resolved", FaultType.DNS),
        ("getaddrinfo ENOTFOUND ledger", "name_not_resolved", FaultType.DNS),
        ("dial tcp 10.0.0.3:80: connect: connection refused", "connection_refused",
         FaultType.DEPENDENCY),
        ("context deadline exceeded", "timed_out", FaultType.LATENCY),
        ("x509: certificate has expired or is not yet valid", "certificate_refused",
         FaultType.CERTIFICATE),
        ("listen tcp :8080: bind: address already in use", "address_in_use",
         FaultType.BAD_CONFIG),
        ("panic: runtime error: index out of range [3]", "crashed", FaultType.CRASH),
        ("java.lang.NullPointerException: null", "code_error", FaultType.ERROR),
        ("rpc error: code = Internal desc = x", "callee_failed", FaultType.DEPENDENCY),
    ],
)  # fmt: skip
def test_a_phrase_means_its_fault(text: str, kind: str, fault: FaultType) -> None:
    signature = signature_of(text)
    assert signature is not None
    assert (signature.kind, signature.fault) == (kind, fault)


@pytest.mark.parametrize(
    "text",
    ["order placed", "Tracing enabled, but temporarily unavailable", "connection accepted",
     "Access denied for user 'root'@'localhost' (using password: NO)"],
)  # fmt: skip
def test_everyday_lines_mean_nothing(text: str) -> None:
    assert signature_of(text) is None


def test_every_family_has_a_name_of_its_own() -> None:
    assert len({s.kind for s in SIGNATURES}) == len(SIGNATURES)


def test_a_refused_connection_accuses_the_host_and_not_the_writer() -> None:
    witnesses = Witnesses.of(case(), ("shop", "ledger-db"))
    found = witnesses.accusation("shop", "connect to ledger-db:3306 failed: Connection refused")
    assert (found.service, found.peer) == ("ledger-db", True)


def test_an_address_accuses_whom_the_recorded_listing_names() -> None:
    witnesses = Witnesses.of(case(SERVICES), ("shop",))
    found = witnesses.accusation("shop", "dial tcp 10.68.1.7:3306: connection refused")
    assert (found.service, found.peer) == ("ledger-db", True)


def test_the_innermost_of_several_quoted_causes_is_accused() -> None:
    witnesses = Witnesses.of(case(), ("shop", "billing-api", "ledger-db"))
    text = "billing-api failed: charge failed: dial ledger-db:3306: connection refused"
    assert witnesses.accusation("shop", text).service == "ledger-db"


def test_a_complaint_without_a_name_speaks_weakly_against_its_writer() -> None:
    witnesses = Witnesses.of(case(), ("shop", "ledger-db"))
    nameless = witnesses.accusation("shop", "connection refused")
    named_one = witnesses.accusation("shop", "ledger-db:3306: connection refused")
    assert nameless.service == "shop"
    assert nameless.telling < named_one.telling


def test_a_name_that_nobody_has_is_the_writers_own_mistake() -> None:
    witnesses = Witnesses.of(case(SERVICES), ("shop",))
    wrong = witnesses.accusation("shop", "dial tcp: lookup ledger-db-typo: no such host")
    right = witnesses.accusation("shop", "dial tcp: lookup ledger-db: no such host")
    assert (wrong.service, wrong.fault) == ("shop", FaultType.BAD_CONFIG)
    assert (right.service, right.fault) == ("ledger-db", FaultType.DNS)


def test_out_of_memory_accuses_its_writer_whatever_it_mentions() -> None:
    witnesses = Witnesses.of(case(), ("shop", "ledger-db"))
    text = "OutOfMemoryError while reading from ledger-db:3306"
    assert witnesses.accusation("shop", text).service == "shop"


def test_a_service_called_by_a_plain_word_is_meant_only_as_an_address() -> None:
    known = frozenset({"user", "ledger-db"})
    assert named("access denied for user 'app'", known) == ()
    assert named("POST http://user/login failed", known) == ("user",)
    assert named("user:8080 refused", known) == ("user",)
    assert named("from ledger-db.prod.svc.cluster.local", known) == ("ledger-db",)


def test_addresses_are_read_from_listings_and_shared_ones_are_nobodys() -> None:
    listed, book = address_book(case(SERVICES, PODS))
    assert book == {
        "10.68.1.7": "ledger-db",
        "10.68.1.9": "billing",
        "172.20.3.37": "billing",
        "172.20.3.38": "ledger-db",
    }
    assert listed == {"ledger-db", "billing"}
    other = SERVICES.replace("ledger-db", "somebody-1")
    assert "10.68.1.7" not in address_book(case(SERVICES, other))[1]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ('{"severity":"error","message":"x"}', "error"),
        ('{"message":"an ERROR in words","level":"INFO"}', "info"),
        ("12:00 INFO recovered from ERROR state", "info"),
        ("level=warn msg=slow", "warn"),
        ("2026-01-01T00:00:00Z fail: Grpc.Server[1]", "error"),
        ("2026-01-01 [info] <0.1.4> connection closed", "info"),
        ("java.io.IOException: broken", "error"),
        ("plain words", "info"),
    ],
)
def test_the_level_is_read_from_the_line(text: str, level: str) -> None:
    assert level_of(text) == level
