"""The draft of a postmortem, and figures over many incidents."""

from dataclasses import replace

import pytest

from aiops import plugins
from aiops.analyze.slo import HOUR
from aiops.app.incidents import lifecycle
from aiops.app.incidents.acts import Person
from aiops.app.incidents.figures import Mean, figures
from aiops.app.incidents.postmortem import draft
from aiops.app.investigate import investigate
from aiops.app.rendering.postmortem import render
from aiops.model import Entity
from aiops.model.change import Change
from aiops.model.incident import TimelineEntry
from aiops.model.report import FailedStep, Impact
from aiops_datasets.synthetic import plant, specified


@pytest.fixture(scope="module")
def found():
    """A real report that accuses something."""
    report = investigate(plant(specified("synthetic:7")).data, plugins.analyzer("aiops"))
    assert report.verdict == "root_cause"
    return report


@pytest.fixture
def report(found, world):
    """The same about an incident of today: its fault began two minutes before noon."""
    return replace(
        found,
        subject=replace(found.subject, relative=False),
        onset=world.at(-120),
        impact=Impact("cart-errors (99.9 % over 30 d)", "10 % of requests failed", 0.07),
        changes=(Change(world.at(-130), Entity("service", "cart"), "image 2", author="bo"),),
        unknowns=("No traces were recorded.",),
        failed_steps=(FailedStep("collect loki", "it timed out"),),
    )


@pytest.fixture
def lived(world):
    """An incident that was acknowledged after a minute and over after ten."""
    ana = Person(world.repo, world.clock, "ana")
    world.fire()
    world.wait(60)
    lifecycle.acknowledge(ana, "inc-1")
    lifecycle.comment(ana, "inc-1", "looking at the cache")
    world.wait(540)
    world.end()
    return world


def drafted(world, report):
    return draft(world.only(), world.timeline(), report)


def test_the_draft_says_how_long_it_took(lived, report):
    delays = drafted(lived, report).delays
    assert (delays.detect_s, delays.acknowledge_s, delays.resolve_s) == (120, 60, 600)


def test_an_acknowledgement_before_it_was_opened_again_still_counts(lived, report):
    lived.wait(60)
    lived.fire()
    made = drafted(lived, report)
    assert (made.delays.acknowledge_s, made.delays.resolve_s) == (60, None)
    assert "It ended, and was opened again: once." in made.went_badly


def test_the_timeline_shows_what_came_before_the_first_alert(lived, report):
    made = drafted(lived, report)
    assert [(moment.actor, moment.text) for moment in made.timeline[:3]] == [
        ("bo", "cart: image 2"),
        ("report", "Onset of the fault, as found in the data"),
        ("alerts", "Opened: TooSlow on cart"),
    ]
    assert [moment.at for moment in made.timeline] == sorted(m.at for m in made.timeline)


def test_the_timeline_tells_nothing_twice(lived, report):
    def entry(kind, text):
        return TimelineEntry("inc-1", lived.at(30), kind, "aiops", text)

    (change,) = report.changes
    noted = f"deploy of cart at {change.at:%Y-%m-%d %H:%M:%S} UTC: image 2"
    timeline = [
        *lived.timeline(),
        entry("change", noted),
        entry("investigation_queued", "Investigation 1 queued"),
        entry("investigation_finished", "cart is the cause"),
        entry("investigation_queued", "Investigation 2 queued"),
        entry("investigation_finished", "cart is the cause"),
        entry("investigation_finished", "web is the cause"),
    ]
    told = [moment.text for moment in draft(lived.only(), timeline, report).timeline]
    assert told.count("cart: image 2") == told.count("cart is the cause") == 1
    assert "web is the cause" in told
    assert not [text for text in told if "queued" in text or text == noted]


def test_the_root_cause_comes_with_the_evidence_it_cites(lived, report):
    made = drafted(lived, report)
    assert made.cause == report.root_causes[0]
    assert {each.id for each in made.evidence} == set(report.root_causes[0].evidence) != set()


def test_only_facts_are_said_to_have_gone_well_or_badly(lived, report):
    made = drafted(lived, report)
    assert made.went_well == ()
    assert made.went_badly == (
        "No alert fired for 2 min after the onset.",
        "It was assigned to nobody.",
        "No alert named a runbook.",
    )


def test_a_draft_without_a_report_says_so(lived):
    made = drafted(lived, None)
    assert (made.cause, made.evidence, made.delays.detect_s) == (None, (), None)
    assert "No investigation has finished." in made.went_badly
    text = render(made)
    assert "nothing is known of the cause" in text
    assert "Not measured: no objective or report says what users felt." in text


def test_follow_ups_come_from_what_was_unknown_failed_or_wrong(lived, report):
    with lived.repo.work() as work:
        work.put_incident(replace(lived.only(), report="inv-1"))
    ana = Person(lived.repo, lived.clock, "ana")
    lifecycle.judge(ana, "inc-1", right=False, cause="the cache was cold")
    made = drafted(lived, report)
    assert made.follow_ups == (
        "Make the cause visible in telemetry: the cache was cold",
        "Write a runbook and link it from the alert (annotation runbook_url).",
        "Close a blind spot: No traces were recorded.",
        "Repair the step 'collect loki': it timed out",
    )
    text = render(made)
    assert "the cache was cold (said by ana, 2026-11-20 12:10:00 UTC)" in text
    assert "The report accused `" in text


def test_a_confirmed_report_counts_as_something_that_went_well(lived, report):
    with lived.repo.work() as work:
        work.put_incident(replace(lived.only(), report="inv-1", runbook_url="https://r/1"))
        work.note(
            TimelineEntry(
                "inc-1", lived.at(30), "investigation_finished", "aiops", "found", "inv-1"
            )
        )
    lifecycle.judge(Person(lived.repo, lived.clock, "ana"), "inc-1", right=True)
    made = drafted(lived, report)
    assert made.went_well == (
        "A report was there 30 s after the first alert.",
        "The report named the cause, says ana.",
        "The alert named a runbook: https://r/1",
    )
    assert ", confirmed by ana." in render(made)


def test_the_markdown_has_every_section_and_the_times(lived, report):
    text = render(drafted(lived, report))
    sections = [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert sections == [
        "Summary",
        "Impact",
        "Root cause",
        "Timeline (UTC)",
        "What went well",
        "What went badly",
        "Follow-ups",
    ]
    assert "| Time to detect (onset to first alert) | 2 min |" in text
    assert "| Time to acknowledge | 60 s |" in text
    assert "| Time to resolve | 10 min |" in text
    assert "- **Error budget burnt:** 7 %" in text
    assert "| 2026-11-20 12:01:00 UTC | ana | looking at the cache |" in text
    assert "- [ ] Close a blind spot: No traces were recorded." in text


def test_hostile_words_neither_break_the_table_nor_mention_anybody(lived):
    ana = Person(lived.repo, lived.clock, "ana")
    lifecycle.comment(ana, "inc-1", "a | b\n# c <script> @here [x](http://y)")
    (line,) = [each for each in render(drafted(lived, None)).splitlines() if "a \\|" in each]
    assert line.count("|") - line.count("\\|") == 4
    assert "<script>" not in line
    assert "@here" not in line
    assert "[x]" not in line.replace("\\[x]", "")


def test_an_incident_that_goes_on_has_a_draft_too(world, report):
    world.fire()
    text = render(drafted(world, report))
    assert "| End | still triggered |" in text
    assert "| Time to resolve | not resolved |" in text


# ---- figures


def test_means_are_over_the_incidents_that_have_the_time_and_say_how_many(lived):
    first = lived.only()
    longer = replace(first, id="inc-2", acknowledged_at=None, resolved_at=lived.at(2 * HOUR))
    going_on = replace(
        first, id="inc-3", status="triggered", acknowledged_at=None, resolved_at=None
    )
    merged = replace(longer, id="inc-4", merged_into="inc-1")
    shown = figures([first, longer, going_on, merged], {"inc-1": lived.at(-30)})
    assert shown.incidents == 3
    assert shown.mttd == Mean(30, 1)
    assert shown.mtta == Mean(60, 1)
    assert shown.mttr == Mean((600 + 2 * HOUR) / 2, 2)


def test_an_alert_before_the_onset_was_detected_at_once(lived):
    assert figures([lived.only()], {"inc-1": lived.at(50)}).mttd == Mean(0, 1)


def test_no_incidents_have_no_means():
    assert figures([], {}).mttr == Mean(None, 0)
