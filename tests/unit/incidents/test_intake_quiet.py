"""What silences and flapping keep from opening, ending or being investigated."""

from dataclasses import replace

from aiops.app.incidents.intake import Taken


def test_a_silenced_alert_is_kept_and_opens_nothing(world):
    silence = world.silence("cart", 100)
    assert world.fire() == Taken(deliveries=1, silenced=1)
    assert world.incidents() == []
    (state,) = world.repo.alerts()
    assert (state.incident, state.silence) == (None, silence.id)


def test_an_alert_still_firing_after_its_silence_is_taken_in_without_a_delivery(world):
    world.silence("cart", 100)
    world.fire()
    world.wait(99)
    world.take()
    assert world.incidents() == []
    world.wait(1)
    world.take()
    assert world.only().firing == 1
    assert world.repo.alerts("inc-1")[0].silence is None


def test_an_alert_still_firing_after_its_silence_is_taken_in_with_its_next_delivery(world):
    world.silence("cart", 100)
    world.fire()
    world.wait(100)
    assert world.fire(starts_at=world.at(0)).opened == 1


def test_an_alert_that_ended_under_its_silence_stays_out(world):
    world.silence("cart", 100)
    world.fire()
    assert world.end().resolved == 1
    world.wait(200)
    world.take()
    assert world.incidents() == []


def test_a_silence_ends_no_incident_that_is_there(world):
    world.fire()
    world.silence("cart", 100)
    world.fire()
    assert world.only().firing == 1
    world.end()
    assert world.only().status == "resolved"
    assert world.fire().silenced == 1
    assert world.only().status == "resolved"
    assert world.kinds()[-1] == "silenced"
    world.wait(100)
    world.take()
    assert world.only().status == "triggered"


def test_an_alert_that_ends_under_a_silence_counts_down_nothing(world):
    world.fire()
    world.end()
    world.silence("cart", 100)
    world.fire()
    world.end()
    assert (world.only().status, world.only().firing) == ("resolved", 0)


def flap(world, turns: int, every: float = 10) -> None:
    """The alert fires; then its status changes so often."""
    world.fire()
    for number in range(turns):
        world.wait(every)
        (world.fire if number % 2 else world.end)()


def test_an_alert_that_flaps_keeps_one_incident_open_until_it_is_quiet(world):
    flap(world, 9)
    incident = world.only()
    assert incident.flapping
    assert incident.status == "triggered"
    assert world.kinds().count("flapping") == 1
    noted = len(world.timeline())
    world.end()
    assert world.only().status == "triggered"
    assert len(world.timeline()) == noted
    world.wait(world.rules.flapping_window_s)
    world.take()
    assert world.only().flapping
    world.wait(1)
    world.take()
    assert (world.only().flapping, world.only().status) == (False, "resolved")


def test_a_flapping_alert_asks_for_no_further_investigation(world):
    flap(world, 4)
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), investigate_at=None))
    world.wait(10)
    world.end()
    world.fire()
    assert world.only().investigate_at is None


def test_an_alert_that_settles_firing_keeps_its_incident_and_is_looked_at_again(world):
    flap(world, 4)
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), investigate_at=None))
    world.wait(world.rules.flapping_window_s + 1)
    world.take()
    incident = world.only()
    assert (incident.flapping, incident.status) == (False, "triggered")
    assert incident.investigate_at is not None


def test_slow_changes_are_no_flapping(world):
    flap(world, 8, every=world.rules.flapping_window_s / 2)
    assert not world.only().flapping
