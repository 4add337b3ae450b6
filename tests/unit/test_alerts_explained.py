"""A report says which alerts of its incident the cause explains, and which it leaves open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from aiops.app.investigate import investigate
from aiops.model import CaseData, Ranking, Report, ServiceGraph, Suspect
from aiops.model.alert import Alert
from aiops.model.entity import Entity, EntityKind
from aiops.model.graph import Call
from aiops.model.ranking import Propagation
from aiops_datasets.synthetic import plant, specified

WEB, CART, DB, MAIL, JOBS = (Entity("service", name) for name in ("web", "cart", "db", "mail", "j"))
PLANTED = plant(specified("synthetic:7:cpu")).data
AT = PLANTED.trigger.at
assert AT is not None
CALLS = ServiceGraph((WEB, CART, DB, MAIL), (Call(WEB, CART), Call(CART, DB), Call(CART, MAIL)))
CASE = replace(PLANTED, window=replace(PLANTED.window, graph=CALLS))


class Blames:
    """An analyzer that accuses the cart, whose fault spread to the jobs."""

    name = "blames"

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        spread = (Propagation(CART, JOBS, "granger"),)
        return Ranking("root_cause", (Suspect(CART, None, 1.0),), onset=AT, propagation=spread)


def alert(name: str, about: Entity | None, after_s: float = 60, number: int = 1) -> Alert:
    starts = AT + timedelta(seconds=after_s)
    return Alert("hook", f"{name}{number}", "firing", name, (), (), starts, entity=about)


def reported(*alerts: Alert) -> Report:
    return investigate(CASE, Blames(), alerts=alerts)


def explained(*alerts: Alert) -> dict[str, str]:
    return {each.alert: each.explanation for each in reported(*alerts).alerts_explained}


def test_every_alert_whose_service_calls_the_cause_is_explained_and_says_by_which_calls() -> None:
    found = explained(alert("Slow", WEB), alert("Cpu", CART))
    assert set(found) == {"Slow on web", "Cpu on cart"}
    assert "web → cart" in found["Slow on web"]
    assert "60 s after" in found["Cpu on cart"] or "1 min after" in found["Cpu on cart"]


def test_an_alert_that_the_fault_spread_to_is_explained() -> None:
    assert "spread from cart" in explained(alert("Late", JOBS))["Late on j"]


@pytest.mark.parametrize("stranger", [alert("Full", MAIL), alert("Early", WEB, after_s=-3600)])
def test_an_alert_that_nothing_connects_or_that_came_before_is_left_open_by_name(
    stranger: Alert,
) -> None:
    report = reported(alert("Slow", WEB), stranger)
    assert [each.alert for each in report.alerts_explained] == ["Slow on web"]
    (told,) = (each for each in report.unknowns if "does not explain" in each)
    assert stranger.name in told


@pytest.mark.parametrize("kind", ["node", "namespace"])
def test_an_alert_on_no_service_is_explained_by_its_time_alone(kind: EntityKind) -> None:
    told = explained(alert("Pressure", Entity(kind, "n1")), alert("Watchdog", None))
    assert all("names no service" in each for each in told.values())
    assert len(told) == 2


def test_alerts_of_one_kind_on_one_service_are_one_entry_with_their_number() -> None:
    many = [alert("Slow", WEB, 60 + n, n) for n in range(200)]
    (one,) = reported(*many).alerts_explained
    assert one.alert == "Slow on web (200 alerts)"
    assert one.at == AT + timedelta(seconds=60)


def test_alerts_are_told_in_the_order_in_which_they_fired() -> None:
    found = explained(alert("B", CART, 90), alert("A", CART, 120), alert("C", WEB, 30))
    assert list(found) == ["C on web", "B on cart", "A on cart"]


def test_without_the_incidents_alerts_the_trigger_is_explained() -> None:
    assert len(investigate(CASE, Blames()).alerts_explained) == 1


def test_where_nobody_is_accused_no_alert_is_explained_or_left_open() -> None:
    class Shrugs(Blames):
        def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
            return replace(super().rank(case, seed=seed), verdict="inconclusive")

    report = investigate(CASE, Shrugs(), alerts=(alert("Full", MAIL),))
    assert report.alerts_explained == ()
    assert not any("does not explain" in each for each in report.unknowns)
