"""Calls as their callers measured them, against what the callees measured of themselves."""

from datetime import UTC, datetime

import numpy as np

from aiops.analyze.traces.mesh import MeshReader
from aiops.app.evidence import resolve
from aiops.model import (
    CaseData,
    Entity,
    Episode,
    FaultType,
    Hypothesis,
    MetricTable,
    Series,
    TelemetryWindow,
)

ROWS, ONSET = 120, 60
EDGES = (("web", "cart"), ("web", "pay"), ("cart", "db"), ("pay", "db"))
Columns = dict[str, np.ndarray]


def quiet() -> Columns:
    """2 ms and one call a second on each edge and in each service, nothing fails."""
    rng = np.random.default_rng(1)
    columns: Columns = {}
    for name in [f"{a}->{b}" for a, b in EDGES] + ["web", "cart", "pay", "db"]:
        columns[f"{name}_request_duration_p50_seconds"] = 0.002 + rng.normal(0, 1e-4, ROWS)
        columns[f"{name}_request_ops"] = np.full(ROWS, 1.0)
        columns[f"{name}_request_errors_ops"] = np.zeros(ROWS)
    return columns


def read(columns: Columns) -> list[Hypothesis]:
    series = []
    for name in columns:
        owner, metric = name.split("_", 1)
        caller, _, callee = owner.rpartition("->")
        metric = f"edge:{caller}:{metric}" if caller else metric
        series.append(Series(Entity("service", callee), metric, name, None))
    at = [datetime.fromtimestamp(row, UTC) for row in (0, ONSET, ROWS)]
    table = MetricTable(
        np.arange(ROWS, dtype=float), np.stack([*columns.values()], 1), tuple(series)
    )
    case = CaseData("c", TelemetryWindow(at[0], at[2], metrics=table))
    found = MeshReader().read(case, Episode(at[1], at[2])).hypotheses
    assert all(resolve(case, evidence) for one in found for evidence in one.support)
    return sorted(found, key=lambda one: -one.strength)


def test_nothing_is_said_while_both_ends_agree():
    assert read(quiet()) == []


def test_calls_that_only_their_callers_find_slow_accuse_whom_they_surround():
    columns = quiet()
    for edge in ("web->cart", "cart->db"):
        columns[f"{edge}_request_duration_p50_seconds"][ONSET:] += 0.8
    first = read(columns)[0]
    assert (first.entity.name, first.fault) == ("cart", FaultType.NETWORK_DELAY)


def test_a_callee_that_is_slow_itself_is_no_matter_of_the_way():
    columns = quiet()
    for name in ("cart->db", "pay->db", "db"):
        columns[f"{name}_request_duration_p50_seconds"][ONSET:] += 0.8
    assert read(columns) == []


def test_a_caller_that_gave_up_before_the_callee_answered_says_nothing_of_the_way():
    columns = quiet()
    columns["web->cart_request_duration_p50_seconds"][ONSET:] = 5.0
    columns["cart_request_duration_p50_seconds"][ONSET : ONSET + 10] = np.nan
    columns["cart_request_duration_p50_seconds"][ONSET + 10 :] = 9.9
    assert read(columns) == []


def test_errors_that_the_callee_never_saw_were_lost_on_the_way():
    columns = quiet()
    for edge in ("web->cart", "cart->db"):
        columns[f"{edge}_request_errors_ops"][ONSET:] = 0.4
    first = read(columns)[0]
    assert (first.entity.name, first.fault) == ("cart", FaultType.NETWORK_LOSS)
    assert abs(first.size - 0.4) < 1e-9


def test_a_service_that_no_call_reaches_is_cut_off():
    columns = quiet()
    for edge in ("cart->db", "pay->db"):
        columns[f"{edge}_request_errors_ops"][ONSET:] = 1.0
    columns["db_request_ops"][ONSET:] = 0.0
    columns["db_request_duration_p50_seconds"][ONSET:] = np.nan
    first = read(columns)[0]
    assert (first.entity.name, first.fault) == ("db", FaultType.NETWORK_PARTITION)


def test_errors_that_the_callee_counts_too_are_its_own_doing():
    columns = quiet()
    for name in ("cart->db", "pay->db"):
        columns[f"{name}_request_errors_ops"][ONSET:] = 0.5
    columns["db_request_errors_ops"][ONSET:] = 1.0
    assert read(columns) == []


def test_two_failed_calls_are_no_share():
    columns = quiet()
    columns["web->pay_request_ops"][ONSET:] = 0.0
    columns["web->pay_request_errors_ops"][ONSET : ONSET + 2] = 1.0
    columns["web->pay_request_ops"][ONSET : ONSET + 2] = 1.0
    assert read(columns) == []
