"""What people do to incidents, and what they are told where it cannot be done."""

from dataclasses import replace
from datetime import timedelta

import pytest

from aiops.app.incidents import lifecycle, silences, transfers
from aiops.app.incidents.acts import Person
from aiops.errors import InvalidInput, NotKept, WrongState
from aiops.model.alert import Matcher


@pytest.fixture
def ana(world):
    return Person(world.repo, world.clock, "ana")


def test_an_acknowledged_incident_says_since_when_and_by_whom(world, ana):
    world.fire()
    world.wait(30)
    done = lifecycle.acknowledge(ana, "inc-1")
    assert done.incident == world.only()
    assert (done.incident.status, done.incident.acknowledged_at) == ("acknowledged", world.at(30))
    assert world.timeline()[-1].text == "Acknowledged by ana"
    assert (done.audit.actor, done.audit.action, done.audit.target, done.audit.outcome) == (
        "ana",
        "incident.acknowledged",
        "inc-1",
        "done",
    )


def test_an_acknowledgement_can_be_taken_back(world, ana):
    world.fire()
    lifecycle.acknowledge(ana, "inc-1")
    done = lifecycle.unacknowledge(ana, "inc-1")
    assert (done.incident.status, done.incident.acknowledged_at) == ("triggered", None)
    assert done.audit.action == "incident.unacknowledged"


def test_an_acknowledged_incident_ends_with_its_alerts(world, ana):
    world.fire()
    lifecycle.acknowledge(ana, "inc-1")
    world.end()
    assert world.only().status == "resolved"
    world.fire()
    assert (world.only().status, world.only().acknowledged_at) == ("triggered", None)


def test_an_assignee_is_named_and_taken_off(world, ana):
    world.fire()
    assert lifecycle.assign(ana, "inc-1", " bo ").incident.assignee == "bo"
    assert lifecycle.assign(ana, "inc-1", None).incident.assignee is None
    assert [entry.text for entry in world.timeline()[-2:]] == [
        "Assigned to bo",
        "Assigned to nobody",
    ]


def test_a_comment_is_kept_as_written_also_after_the_end(world, ana):
    world.fire()
    world.end()
    lifecycle.comment(ana, "inc-1", "it was\nthe cache")
    assert world.timeline()[-1].text == "it was\nthe cache"


@pytest.mark.parametrize("text", ["", "  \n", "x" * 10_001])
def test_an_empty_or_endless_comment_is_refused_and_leaves_nothing(world, ana, text):
    world.fire()
    before = world.timeline()
    with pytest.raises(InvalidInput, match="a comment has 1 to 10,000 characters"):
        lifecycle.comment(ana, "inc-1", text)
    assert world.timeline() == before


def test_an_incident_resolved_by_hand_stays_so_while_its_alert_only_repeats(world, ana):
    world.fire()
    done = lifecycle.resolve(ana, "inc-1", "known, harmless")
    assert world.timeline()[-1].text == (
        "Resolved by ana; known, harmless; 1 of its alerts still firing"
    )
    assert done.incident.firing == 1
    world.fire(starts_at=world.at(0))
    assert world.only().status == "resolved"
    world.end()
    assert (world.only().status, world.only().firing) == ("resolved", 0)
    world.wait(400)
    world.fire()
    assert (world.only().status, world.only().firing) == ("triggered", 1)


def test_another_alert_of_its_group_opens_an_incident_resolved_by_hand_again(world, ana):
    world.fire()
    lifecycle.resolve(ana, "inc-1")
    assert world.fire(name="Errors").reopened == 1
    assert world.only().firing == 2


def test_a_resolved_incident_is_opened_again_by_hand(world, ana):
    world.fire()
    world.end()
    done = lifecycle.reopen(ana, "inc-1")
    assert (done.incident.status, done.incident.resolved_at) == ("triggered", None)


def test_an_incident_with_an_open_successor_is_not_opened_again(world, ana):
    world.fire()
    world.end()
    world.wait(9999)
    world.fire()
    with pytest.raises(WrongState, match="has an open successor; merge it into inc-2"):
        lifecycle.reopen(ana, "inc-1")


def test_a_chosen_severity_stays_whatever_the_alerts_say(world, ana):
    world.fire(severity="SEV3")
    assert lifecycle.set_severity(ana, "inc-1", "SEV4").incident.severity == "SEV4"
    world.fire(name="Down", severity="SEV1")
    assert world.only().severity == "SEV4"


def test_a_verdict_is_given_on_a_report_only(world, ana):
    world.fire()
    with pytest.raises(WrongState, match="has no report yet; ask for an investigation first"):
        lifecycle.judge(ana, "inc-1", right=True)
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), report="inv-1"))
    with pytest.raises(InvalidInput, match="the cause, where the report is wrong"):
        lifecycle.judge(ana, "inc-1", right=False)
    verdict = lifecycle.judge(ana, "inc-1", right=False, cause="the cache").incident.verdict
    assert (verdict.right, verdict.cause, verdict.author) == (False, "the cache", "ana")
    assert lifecycle.judge(ana, "inc-1", right=True).incident.verdict.right
    assert world.timeline()[-1].ref == "inv-1"


def test_a_person_need_not_wait_for_the_cooldown(world, ana):
    world.fire()
    with world.repo.work() as work:
        work.put_incident(
            replace(world.only(), investigate_at=None, investigated_at=world.clock.now())
        )
    done = lifecycle.request_investigation(ana, "inc-1")
    assert done.incident.investigate_at == world.clock.now()
    assert done.audit.action == "incident.investigation_requested"


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lifecycle.acknowledge, "is resolved; reopen it first"),
        (lifecycle.unacknowledge, "is resolved; reopen it first"),
        (lifecycle.resolve, "is resolved; reopen it first"),
        (lambda person, name: lifecycle.assign(person, name, "bo"), "is resolved; reopen it first"),
    ],
)
def test_what_cannot_be_done_to_a_resolved_incident_says_what_can(world, ana, act, reason):
    world.fire()
    world.end()
    before, noted = world.only(), world.timeline()
    with pytest.raises(WrongState, match=f"incident inc-1 {reason}"):
        act(ana, "inc-1")
    assert (world.only(), world.timeline()) == (before, noted)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lifecycle.acknowledge, "is acknowledged already"),
        (lifecycle.reopen, "is acknowledged, and so open already"),
    ],
)
def test_what_was_done_already_is_not_done_again(world, ana, act, reason):
    world.fire()
    lifecycle.acknowledge(ana, "inc-1")
    with pytest.raises(WrongState, match=reason):
        act(ana, "inc-1")


def test_an_incident_that_does_not_exist_is_named(ana):
    with pytest.raises(NotKept, match="no incident 'inc-9'"):
        lifecycle.acknowledge(ana, "inc-9")


# ---- merge and split


def test_merged_alerts_move_and_the_other_goes_on_alone(world, ana):
    world.fire("cart", severity="SEV3")
    world.fire("queue", severity="SEV2", runbook_url="https://r/2")
    done = transfers.merge(ana, "inc-2", "inc-1", world.rules)
    first, second = world.incidents()
    assert done.incident == first
    assert (first.firing, first.alerts, first.severity) == (2, 2, "SEV2")
    assert first.services == ("cart", "queue")
    assert (second.status, second.merged_into, second.firing) == ("resolved", "inc-1", 0)
    assert {state.incident for state in world.repo.alerts()} == {"inc-1"}
    assert world.kinds("inc-1")[-1] == world.kinds("inc-2")[-1] == "merged"
    world.end("queue")
    world.end("cart")
    assert [each.status for each in world.incidents()] == ["resolved", "resolved"]
    world.fire("queue")
    assert world.incidents()[0].status == "triggered"


@pytest.mark.parametrize(
    "act",
    [
        lifecycle.acknowledge,
        lifecycle.reopen,
        lifecycle.request_investigation,
        lambda person, name: lifecycle.set_severity(person, name, "SEV1"),
    ],
)
def test_a_merged_incident_sends_people_to_the_one_that_goes_on(world, ana, act):
    world.fire("cart")
    world.fire("queue")
    transfers.merge(ana, "inc-2", "inc-1", world.rules)
    with pytest.raises(WrongState, match="incident inc-2 was merged; go on in inc-1"):
        act(ana, "inc-2")
    with pytest.raises(WrongState, match="was merged"):
        transfers.merge(ana, "inc-1", "inc-2", world.rules)


def test_an_incident_is_not_merged_into_itself_nor_into_one_that_is_over(world, ana):
    world.fire("cart")
    world.fire("queue")
    world.end("queue")
    with pytest.raises(InvalidInput, match="cannot be merged into itself"):
        transfers.merge(ana, "inc-1", "inc-1", world.rules)
    with pytest.raises(WrongState, match="incident inc-2 is resolved; reopen it first"):
        transfers.merge(ana, "inc-1", "inc-2", world.rules)
    with pytest.raises(NotKept, match="inc-9"):
        transfers.merge(ana, "inc-1", "inc-9", world.rules)


def test_chosen_alerts_are_split_off_to_an_incident_of_their_own(world, ana):
    world.calls(("front", "cart"))
    world.fire("cart", severity="SEV1")
    world.fire("front", "Errors", severity="SEV3")
    key = world.alert("front", "Errors").key
    done = transfers.split(ana, world.ids, "inc-1", [key], world.rules)
    first, second = world.incidents()
    assert done.incident == second
    assert (first.firing, first.alerts) == (second.firing, second.alerts) == (1, 1)
    assert (second.severity, second.services) == ("SEV3", ("front",))
    assert world.repo.alerts("inc-2")[0].alert.key == key
    world.end("front", "Errors")
    assert [each.status for each in world.incidents()] == ["triggered", "resolved"]
    assert world.fire("cart", "Errors").joined == 1
    assert world.incidents()[0].alerts == 2, "new alerts of the group join the first"


def test_a_split_needs_alerts_of_the_incident_and_leaves_it_one(world, ana):
    world.fire("cart")
    world.fire("queue")
    cart, queue = world.alert("cart").key, world.alert("queue").key
    for keys, error, match in (
        ([], InvalidInput, "no alert was chosen"),
        ([queue], InvalidInput, "'prom/queue/TooSlow' is not part of inc-1"),
        ([cart], WrongState, "would be left without alerts"),
    ):
        with pytest.raises(error, match=match):
            transfers.split(ana, world.ids, "inc-1", keys, world.rules)


# ---- silences


def made(world, ana, *matchers: Matcher, seconds: float = 60, comment: str = "deploy"):
    return silences.create(
        ana,
        world.ids,
        matchers,
        world.at(0),
        world.at(0) + timedelta(seconds=seconds),
        comment,
    )


def test_a_silence_is_kept_with_its_author_and_ended_before_its_time(world, ana):
    done = made(world, ana, Matcher("service", "cart"))
    assert world.repo.silences() == (done.silence,)
    assert (done.silence.author, done.audit.action) == ("ana", "silence.created")
    world.fire()
    world.wait(10)
    assert silences.expire(ana, done.silence.id).silence.ends_at == world.at(10)
    world.take()
    assert world.only().firing == 1
    with pytest.raises(WrongState, match="is over; create another"):
        silences.expire(ana, done.silence.id)
    with pytest.raises(NotKept, match="no silence 'sil-9'"):
        silences.expire(ana, "sil-9")


@pytest.mark.parametrize(
    ("matchers", "quiet"),
    [
        ([Matcher("service", "cart")], True),
        ([Matcher("service", "car")], False),
        ([Matcher("service", "car|cart", regex=True)], True),
        ([Matcher("service", "ca", regex=True)], False),
        ([Matcher("service", "queue", negative=True), Matcher("alertname", "TooSlow")], True),
        ([Matcher("service", "c.*", regex=True, negative=True), Matcher("env", "x")], False),
        ([Matcher("service", "cart"), Matcher("env", "")], True),
        ([Matcher("service", "cart"), Matcher("env", "", negative=True)], False),
        ([Matcher("service", "cart"), Matcher("env", ".+", regex=True)], False),
        ([Matcher("alertname", "TooSlow")], True),
        ([Matcher("namespace", "shop")], True),
    ],
)
def test_a_silence_matches_by_equality_expression_and_their_negation(world, ana, matchers, quiet):
    made(world, ana, *matchers)
    entity = replace(world.alert().entity, namespace="shop")
    taken = world.fire(entity=entity)
    assert (taken.silenced, taken.opened) == ((1, 0) if quiet else (0, 1))


@pytest.mark.parametrize(
    ("matchers", "reason"),
    [
        ([], "1 to 50 matchers, not 0"),
        ([Matcher("a", "b")] * 51, "not 51"),
        ([Matcher("", "b")], "give a label"),
        ([Matcher("a", "b" * 1001)], "at most 1000"),
        ([Matcher("a", "(", regex=True)], "'\\(' is no regular expression"),
        ([Matcher("a", ".*", regex=True)], "match every alert without the labels"),
        ([Matcher("a", "b", negative=True)], "match every alert without the labels"),
    ],
)
def test_a_silence_that_cannot_be_meant_is_refused(world, ana, matchers, reason):
    with pytest.raises(InvalidInput, match=reason):
        made(world, ana, *matchers)
    assert world.repo.silences() == ()


def test_a_silence_needs_a_future_and_a_reason(world, ana):
    with pytest.raises(InvalidInput, match="must end after it starts"):
        made(world, ana, Matcher("a", "b"), seconds=0)
    with pytest.raises(InvalidInput, match="the comment of a silence"):
        made(world, ana, Matcher("a", "b"), comment=" ")
    with pytest.raises(InvalidInput, match="with a time zone"):
        silences.create(
            ana,
            world.ids,
            [Matcher("a", "b")],
            world.at(0).replace(tzinfo=None),
            world.at(9),
            "why",
        )
