"""How severe an incident is, and when it is to be investigated."""

from dataclasses import replace
from datetime import timedelta


def test_the_worst_alert_gives_the_severity(world):
    world.fire(severity="SEV3")
    world.fire(name="Down", severity="SEV1")
    world.fire(name="Meh", severity="SEV4")
    assert world.only().severity == "SEV1"
    assert world.kinds().count("severity") == 1


def test_a_repetition_with_a_worse_severity_escalates(world):
    world.fire(severity="SEV3")
    world.fire(severity="SEV2")
    assert world.only().severity == "SEV2"


def test_the_severity_follows_when_the_worst_alert_ends_and_the_timeline_says_so(world):
    world.fire(name="Meh", severity="SEV4")
    world.fire(name="TooSlow", severity="SEV3")
    world.fire(name="Down", severity="SEV1")
    world.wait(10)
    world.end(name="Down", severity="SEV1")
    assert world.only().severity == "SEV3"
    assert world.timeline()[-1].text == "SEV1 to SEV3: nothing worse fires any more"
    world.end(name="Meh", severity="SEV4")
    assert world.only().severity == "SEV3"
    world.end(name="TooSlow", severity="SEV3")
    assert (world.only().status, world.only().severity) == ("resolved", "SEV3")


def test_the_severity_stays_while_another_alert_as_bad_fires(world):
    for instance in "12":
        world.fire(fingerprint=instance, severity="SEV1")
    world.fire(name="Meh", severity="SEV4")
    world.end(fingerprint="1", severity="SEV1")
    assert world.only().severity == "SEV1"
    assert "severity" not in world.kinds()


def test_alerts_that_end_in_one_round_lower_the_severity_once(world):
    for name, severity in (("Down", "SEV1"), ("TooSlow", "SEV2"), ("Meh", "SEV4")):
        world.fire(name=name, severity=severity)
    for name in ("Down", "TooSlow"):
        world.deliver(world.alert(name=name, status="resolved", ends_at=world.clock.now()))
    world.take()
    assert world.only().severity == "SEV4"
    assert world.kinds().count("severity") == 1


def test_an_alert_that_its_rule_makes_milder_lowers_the_severity(world):
    world.fire(severity="SEV1")
    world.wait(60)
    world.fire(severity="SEV3")
    assert world.only().severity == "SEV3"


def test_an_incident_that_opens_again_is_as_severe_as_what_fires_now(world):
    world.fire(name="Down", severity="SEV1")
    world.end(name="Down", severity="SEV1")
    world.wait(60)
    world.fire(name="Meh", severity="SEV4")
    assert (world.only().status, world.only().severity) == ("triggered", "SEV4")


def test_a_chosen_severity_does_not_follow(world):
    world.fire(severity="SEV2")
    world.fire(name="Down", severity="SEV1")
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), severity="SEV1", severity_pinned=True))
    world.end(name="Down", severity="SEV1")
    assert world.only().severity == "SEV1"


def test_a_severity_that_a_person_chose_stays(world):
    world.fire(severity="SEV3")
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), severity="SEV4", severity_pinned=True))
    world.fire(name="Down", severity="SEV1")
    assert world.only().severity == "SEV4"


def test_an_investigation_is_due_once_the_alerts_have_settled_and_is_not_put_off(world):
    world.fire()
    due = world.at(world.rules.settle_s)
    assert world.only().investigate_at == due
    world.wait(3)
    world.fire(name="Errors")
    assert world.only().investigate_at == due


def test_new_evidence_asks_again_after_the_cooldown_and_a_repetition_does_not(world):
    world.fire()
    investigated = replace(
        world.only(), investigate_at=None, investigated_at=world.at(10), investigations=1
    )
    with world.repo.work() as work:
        work.put_incident(investigated)
    world.wait(20)
    world.fire()
    assert world.only().investigate_at is None
    world.fire(name="Errors")
    assert world.only().investigate_at == world.at(10) + timedelta(seconds=world.rules.cooldown_s)
