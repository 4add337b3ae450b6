"""Incidents through tools: read, remembered, noted, judged, told."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from small_world import NOON, ask, context, told, tool, with_incident, world

from aiops import plugins
from aiops.app.investigate import investigate
from aiops.bootstrap.service import Service
from aiops.errors import Drifted, NotDelivered, ToolFailed, UnknownName
from aiops.model import Report
from aiops.model.canonical import parsed
from aiops.model.incident import HumanVerdict, Incident
from aiops.model.investigation import Investigation
from aiops.model.tool import Preview, Verified
from aiops.notify.in_memory import Outbox
from aiops_datasets.synthetic import plant, specified
from aiops_tools.incidents.toolset import Incidents

REPORT = investigate(plant(specified("synthetic:7")).data, plugins.analyzer("metrics"))
CULPRIT = REPORT.root_causes[0].entity.service_name


def reported(service: Service, number: int = 1, **changed: object) -> Incident:
    """An incident with a finished investigation."""
    made = f"inv-{number:03d}"
    service.investigations.save(Investigation(made, f"inc-{number:03d}", NOON, REPORT))
    return with_incident(service, number, report=made, **changed)


def carried_out(toolset: Incidents, verb: str, key: str = "key-1", **arguments: object) -> Preview:
    """Previewed, applied and verified."""
    one = tool(toolset, verb)
    seen = asyncio.run(one.preview(arguments, context(key)))
    asyncio.run(one.apply(arguments, seen, context(key)))
    done: Verified = asyncio.run(one.verify(arguments, seen, context(key)))
    assert done.reached, done.seen
    return seen


def test_open_incidents_are_listed_newest_first():
    service = world()
    for number in (1, 2, 3):
        with_incident(service, number)
    with_incident(service, 4, status="resolved", resolved_at=NOON)
    toolset = Incidents("incidents", service)
    found = told(toolset, "find", limit=2)
    assert [row["id"] for row in found["incidents"]] == ["inc-003", "inc-002"]
    rest = told(toolset, "find", limit=2, before=found["next"])
    assert [row["id"] for row in rest["incidents"]] == ["inc-001"]
    assert rest["next"] is None
    assert len(told(toolset, "find", status="any")["incidents"]) == 4


def test_one_incident_its_timeline_and_its_report_are_read():
    service = world()
    reported(service)
    toolset = Incidents("incidents", service)
    one = told(toolset, "get", incident="inc-001")
    assert one["incident"]["services"] == ["api"]
    line = told(toolset, "timeline", incident="inc-001")
    assert [entry["kind"] for entry in line["entries"]] == ["opened"]
    result = ask(toolset, "report", incident="inc-001")
    findings = parsed(result.content)["findings"]
    assert findings["verdict"] == REPORT.verdict
    ids = {claim["id"] for claim in findings["evidence"]}
    assert ids.issuperset(findings["root_causes"][0]["evidence"])
    assert result.refs == ("inv-001",)


def test_a_long_timeline_says_how_much_of_it_is_older():
    service = world()
    with_incident(service)
    toolset = Incidents("incidents", service)
    for number in range(5):
        carried_out(toolset, "add_note", f"k{number}", incident="inc-001", text=f"note {number}")
    line = told(toolset, "timeline", incident="inc-001", limit=2)
    assert (line["total"], line["left_out"]) == (6, 4)
    assert [entry["text"] for entry in line["entries"]] == ["note 3", "note 4"]


@pytest.mark.parametrize("verb", ["get", "timeline", "report"])
def test_an_incident_that_is_not_there_is_not_found(verb):
    with pytest.raises(ToolFailed) as failed:
        ask(Incidents("incidents", world()), verb, incident="inc-999")
    assert failed.value.kind == "not_found"


def test_an_incident_without_a_report_says_so():
    service = world()
    with_incident(service)
    with pytest.raises(ToolFailed, match="report of incident") as failed:
        ask(Incidents("incidents", service), "report", incident="inc-001")
    assert failed.value.kind == "not_found"


def test_an_incident_whose_report_is_no_longer_kept_is_listed_still():
    service = world()
    with_incident(service, report="inv-gone")
    toolset = Incidents("incidents", service)
    assert [row["cause"] for row in told(toolset, "find")["incidents"]] == [None]
    with pytest.raises(ToolFailed, match="report of incident"):
        ask(toolset, "report", incident="inc-001")


def test_past_incidents_are_ranked_by_what_they_share():
    service = world()
    verdict = HumanVerdict(False, "a certificate ran out", "kim", NOON)
    with_incident(service, 1, services=("api", "web"), title="api answers slowly")
    with_incident(service, 2, services=("mail",), title="queue is full", status="resolved")
    reported(service, 3, services=("api",), title="api fails", status="resolved", verdict=verdict)
    with_incident(service, 4, services=("api",))
    result = ask(Incidents("incidents", service), "similar", incident="inc-004")
    found = parsed(result.content)
    assert found["compared"] == 3
    assert [row["incident"]["id"] for row in found["incidents"]] == ["inc-001", "inc-003"]
    assert found["incidents"][1]["incident"]["cause"] == "a certificate ran out"
    assert found["incidents"][1]["judged"]
    assert result.refs == ("inc-001", "inc-003")


def test_a_common_cause_makes_incidents_alike():
    service = world()
    fault = REPORT.root_causes[0].fault_type.value
    with_incident(service, 1, services=(CULPRIT,), status="resolved")
    reported(service, 2, services=(CULPRIT,), status="resolved")
    toolset = Incidents("incidents", service)
    found = told(toolset, "similar", services=[CULPRIT], fault_type=fault)
    assert [row["incident"]["id"] for row in found["incidents"]] == ["inc-002", "inc-001"]
    assert found["incidents"][0]["likeness"] == 1.0


def test_likeness_to_nothing_is_refused():
    with pytest.raises(ToolFailed, match="give an 'incident'"):
        ask(Incidents("incidents", world()), "similar")


def test_a_note_is_added_once_for_a_key():
    service = world()
    with_incident(service)
    toolset = Incidents("incidents", service)
    for _ in range(2):
        carried_out(toolset, "add_note", incident="inc-001", text="The rollback was tried.")
    carried_out(toolset, "add_note", "key-2", incident="inc-001", text="The rollback was tried.")
    notes = [one for one in service.incidents.timeline("inc-001") if one.kind == "comment"]
    assert [(one.actor, one.text) for one in notes] == [("agent", "The rollback was tried.")] * 2


def test_the_preview_of_a_note_changes_nothing_and_shows_it():
    service = world()
    with_incident(service)
    one = tool(Incidents("incidents", service), "add_note")
    before = service.incidents.timeline("inc-001")
    arguments = {"incident": "inc-001", "text": "first\nsecond"}
    seen = asyncio.run(one.preview(arguments, context()))
    assert service.incidents.timeline("inc-001") == before
    assert seen.diff == "+agent:\n+first\n+second\n"
    assert str(seen.targets[0]) == "aiops/Incident/inc-001"
    assert not one.spec.reversible
    assert seen.undo is None
    assert not asyncio.run(one.verify(arguments, seen, context())).reached


def test_a_verdict_is_set_and_its_undo_brings_back_the_one_before():
    service = world()
    reported(service)
    toolset = Incidents("incidents", service)
    first = carried_out(toolset, "set_verdict", incident="inc-001", verdict="right")
    second = carried_out(
        toolset, "set_verdict", incident="inc-001", verdict="wrong", cause="an expired certificate"
    )
    verdict = service.incidents.get("inc-001").verdict
    assert verdict is not None
    assert (verdict.right, verdict.cause, verdict.author) == (
        False,
        "an expired certificate",
        "agent",
    )
    assert second.undo is not None
    assert second.undo.tool == "incidents.set_verdict"
    carried_out(toolset, "set_verdict", **parsed(second.undo.arguments))
    restored = service.incidents.get("inc-001").verdict
    assert restored is not None
    assert restored.right
    assert first.undo is not None
    carried_out(toolset, "set_verdict", **parsed(first.undo.arguments))
    assert service.incidents.get("inc-001").verdict is None


def test_a_verdict_that_was_given_meanwhile_is_not_overwritten():
    service = world()
    reported(service)
    one = tool(Incidents("incidents", service), "set_verdict")
    arguments = {"incident": "inc-001", "verdict": "right"}
    seen = asyncio.run(one.preview(arguments, context()))
    with service.incidents.work() as work:
        judged = HumanVerdict(False, "the disk", "kim", NOON)
        work.put_incident(replace(service.incidents.get("inc-001"), verdict=judged))
    with pytest.raises(Drifted):
        asyncio.run(one.apply(arguments, seen, context()))
    assert service.incidents.get("inc-001").verdict == judged


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"verdict": "wrong", "cause": " "}, "invalid"),
        ({"verdict": "withdrawn"}, "conflict"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused_at_the_preview(arguments, kind):
    service = world()
    reported(service)
    one = tool(Incidents("incidents", service), "set_verdict")
    with pytest.raises(ToolFailed) as refused:
        asyncio.run(one.preview({"incident": "inc-001", **arguments}, context()))
    assert refused.value.kind == kind


def test_a_report_reaches_its_channel_once_for_a_key():
    service, outbox = world(), Outbox()
    reported(service)
    toolset = Incidents("incidents", service, [outbox])
    for _ in range(2):
        carried_out(toolset, "notify", incident="inc-001", channel="outbox")
    assert outbox.reports == [REPORT]
    assert service.incidents.timeline("inc-001")[-1].kind == "notified"


def test_a_channel_that_fails_leaves_no_word_that_it_was_told():
    class Broken:
        name = "chat"

        def notify(self, report: Report) -> None:
            raise NotDelivered("chat", "answered 503; try later")

    service = world()
    reported(service)
    one = tool(Incidents("incidents", service, [Broken()]), "notify")
    arguments = {"incident": "inc-001", "channel": "chat"}
    seen = asyncio.run(one.preview(arguments, context()))
    with pytest.raises(ToolFailed, match="503") as failed:
        asyncio.run(one.apply(arguments, seen, context()))
    assert failed.value.retryable
    assert service.incidents.timeline("inc-001")[-1].kind == "opened"


def test_a_channel_that_is_not_configured_is_not_found():
    service = world()
    reported(service)
    one = tool(Incidents("incidents", service, [Outbox()]), "notify")
    with pytest.raises(ToolFailed, match="no channel 'pager' is configured; there are outbox"):
        asyncio.run(one.preview({"incident": "inc-001", "channel": "pager"}, context()))


def test_without_channels_nobody_can_be_told_and_an_unknown_one_is_refused():
    names = {one.spec.name for one in Incidents("incidents", world()).tools()}
    assert "incidents.notify" not in names
    with pytest.raises(UnknownName, match="notifier 'pager'"):
        Incidents.connect("incidents", {"notifiers": ["pager"]}, world())


def test_a_check_counts_what_is_kept():
    service = world()
    assert Incidents("incidents", service).check() == "0 incidents kept"
    with_incident(service, opened_at=NOON - timedelta(hours=1))
    assert Incidents("incidents", service).check() == "1 incidents kept, the newest inc-001"
