"""What a user's request asks of each service follows from visits and routes."""

from pathlib import Path

import pytest

from aiops_lab.faults.demand import Demand, demand
from aiops_lab.topology.load import SHOP, load

TOPOLOGY = """
name: t
namespace: t
entry: a
services:
  a:
    port: 1
    routes:
      GET /: [{work: 1.0}]
      GET /b: [{together: [{call: GET b /}, {call: GET b /}]}]
  b: {port: 2, routes: {GET /: [{work: 3.0}, {read: "c rows"}]}}
  c: {port: 3, role: database}
visits:
  look: {weight: 1, requests: [GET /]}
  buy: {weight: 2, requests: [GET /, GET /b]}
"""


@pytest.mark.parametrize(
    ("service", "wanted"),
    [("a", Demand(1.0, 0.6)), ("b", Demand(0.8, 2.4)), ("c", Demand(0.8, 0.0))],
)
def test_demand_is_the_average_over_visits(tmp_path: Path, service: str, wanted: Demand) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(TOPOLOGY)
    found = demand(load(path), service)
    assert (found.calls, found.work_ms) == pytest.approx((wanted.calls, wanted.work_ms))


def test_the_entry_of_a_shop_gets_each_request_once() -> None:
    assert demand(load(SHOP), "front-end").calls == pytest.approx(1.0)
