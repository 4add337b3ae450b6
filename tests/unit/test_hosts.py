import numpy as np
import pytest

from aiops.analyze.hosts import own_share
from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.shifts import Shifts
from aiops.model import Entity, Series

NODE = Series(Entity("node", "n1"), "node_cpu_usage_cores", "n1", "cores")


def service(name: str, unit: str | None = "cores") -> Series:
    return Series(Entity("service", name), "container_cpu_usage_cores", name, unit)


def moved(*by: float) -> Shifts:
    values = np.array(by)
    kinds = np.empty(len(by), dtype=object)
    kinds[:] = [MetricKind.CPU] * len(by)
    return Shifts(values * 0, values, values, values, values, kinds)


@pytest.mark.parametrize(
    ("services", "left"), [((0.3, 0.1), 0.0), ((0.1, 0.0), 0.75), ((0, -1), 1)]
)
def test_a_machine_is_accused_of_what_its_services_do_not_add_up_to(services, left):
    series = (NODE, service("a"), service("b"))
    assert own_share(series, moved(0.4, *services))[0] == pytest.approx(left)


def test_services_answer_for_themselves():
    assert (own_share((NODE, service("a")), moved(0.4, 0.4))[1:] == 1).all()


def test_without_a_common_unit_nothing_is_compared():
    assert own_share((NODE, service("a", "percent")), moved(0.4, 40.0))[0] == 1
