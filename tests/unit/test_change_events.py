"""Reported changes: a weak suspicion alone, named and cited where they stand before the trouble."""

from dataclasses import replace
from datetime import timedelta

from aiops import bootstrap
from aiops.analyze.change_events import ChangeEventReader
from aiops.app.evidence import resolve
from aiops.app.investigate import investigate
from aiops.model import CaseData, Episode, Evidence, FaultType
from aiops.model.change import Change
from aiops_datasets.synthetic import plant, specified

WORLD = plant(specified("synthetic:7"))
CASE = WORLD.data
ALERT = CASE.trigger.at
assert ALERT is not None
EPISODE = Episode(onset=ALERT, end=CASE.window.end, alert=ALERT)
SERVICE = (CASE.window.metrics.series if CASE.window.metrics else ())[0].entity


def with_changes(*changes: Change) -> CaseData:
    return replace(CASE, window=replace(CASE.window, changes=changes))


def deploy(before_s: float) -> Change:
    assert ALERT is not None
    return Change(
        ALERT - timedelta(seconds=before_s), SERVICE, "image 2.1 rolled out", kind="deploy"
    )


def test_a_deployment_just_before_the_onset_is_suspected_as_one() -> None:
    (found,) = ChangeEventReader().read(with_changes(deploy(60)), EPISODE).hypotheses
    assert (found.entity, found.fault) == (SERVICE, FaultType.BAD_DEPLOY)


def test_the_nearer_change_is_the_stronger_suspicion() -> None:
    near, far = (
        ChangeEventReader().read(with_changes(deploy(age)), EPISODE).hypotheses[0]
        for age in (30, 1500)
    )
    assert near.strength > far.strength


def test_a_change_long_before_or_after_the_onset_is_not_suspected() -> None:
    case = with_changes(deploy(7200), deploy(-600))
    assert ChangeEventReader().read(case, EPISODE).hypotheses == ()


def test_changes_that_nobody_recorded_are_missing_and_none_are_silence() -> None:
    assert ChangeEventReader().read(CASE, EPISODE).missing
    assert not ChangeEventReader().read(with_changes(), EPISODE).missing


def test_its_evidence_is_found_again() -> None:
    case = with_changes(deploy(60))
    evidence: Evidence = ChangeEventReader().read(case, EPISODE).hypotheses[0].support[0]
    assert resolve(case, evidence) == (deploy(60),)


def test_the_report_lists_the_change_and_cites_it() -> None:
    report = investigate(with_changes(deploy(60)), bootstrap.default_analyzer(), top=50)
    (change,) = report.changes
    assert change.description == "image 2.1 rolled out"
    assert "changes" in report.subject.present


def test_a_change_elsewhere_does_not_outweigh_what_the_metrics_show() -> None:
    cause = investigate(CASE, bootstrap.default_analyzer()).root_causes[0].entity
    other = next(
        each.entity
        for each in (CASE.window.metrics.series if CASE.window.metrics else ())
        if each.entity.service_name != cause.service_name
    )
    changed = replace(deploy(60), entity=other)
    report = investigate(with_changes(changed), bootstrap.default_analyzer())
    assert report.root_causes[0].entity.service_name == cause.service_name


def readdressed(before: str, after: str) -> CaseData:
    assert ALERT is not None
    graph = CASE.window.graph
    assert graph is not None
    call = next(call for call in graph.calls if not call.source.same_service(call.target))
    said = f"ConfigMap changed: data.URL: {before} -> {after}".replace("CALLEE", call.target.name)
    change = Change(ALERT - timedelta(seconds=30), call.source, said, kind="config")
    return with_changes(change)


def test_a_setting_that_no_longer_names_whom_it_named_explains_their_silence() -> None:
    case = readdressed("http://CALLEE:80", "http://CALLEE-old:80")
    (found,) = ChangeEventReader().read(case, EPISODE).hypotheses
    assert found.kind == "address_changed_before_the_onset"
    assert found.explains


def test_a_setting_that_still_names_them_explains_nothing() -> None:
    case = readdressed("http://CALLEE:80", "http://CALLEE:8080")
    (found,) = ChangeEventReader().read(case, EPISODE).hypotheses
    assert not found.explains
