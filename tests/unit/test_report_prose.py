"""Reports in words that a tired person understands at once."""

from dataclasses import replace

import pytest

from aiops import plugins
from aiops.analyze.wording import bare_signal, own_signal, signal
from aiops.app.investigate import CaseInquiry
from aiops.model import Entity, Evidence, Suspect, Window
from aiops.model.ranking import Cleared, Ranking
from aiops.model.run import Collected, Shortlist
from aiops_datasets.synthetic import plant, specified

CASE = plant(specified("synthetic:7:network_delay")).data
INQUIRY = CaseInquiry(lambda _: Collected(CASE), plugins.analyzer("aiops"))


@pytest.mark.parametrize(
    ("metric", "told", "own", "bare"),
    [
        ("cpu", "cpu of cart", "its cpu", "cpu"),
        (
            "edge:front:errors",
            "errors of calls from front to cart",
            "the errors of calls from front",
            "errors of calls from front",
        ),
        ("edge:front", "edge:front of cart", "its edge:front", "edge:front"),
        (
            'edge:front:total{a="b:c"}',
            'total{a="b:c"} of calls from front to cart',
            'the total{a="b:c"} of calls from front',
            'total{a="b:c"} of calls from front',
        ),
    ],
)
def test_what_a_caller_measured_is_told_as_calls(
    metric: str, told: str, own: str, bare: str
) -> None:
    assert (signal(metric, "cart"), own_signal(metric), bare_signal(metric)) == (told, own, bare)


def ranked() -> Ranking:
    """The ranking of the case, with a suspect that shows something but did not move."""
    ranking = INQUIRY.shortlist(CASE).ranking
    window = Window(CASE.window.start, CASE.window.end)
    item = Evidence("E90", "log", "quiet wrote two warnings.", "logs", window, "warnings")
    quiet = Suspect(Entity("service", "quiet"), None, 0.1, 0.01, evidence=("E90",))
    suspects = (ranking.suspects[0], quiet, *ranking.suspects[1:])
    return replace(ranking, suspects=suspects, evidence=(*ranking.evidence, item))


def test_a_suspect_that_did_not_move_is_ruled_out_by_what_was_said_of_it() -> None:
    report = INQUIRY.report(CASE, Shortlist(ranked()))
    (quiet,) = [one for one in report.ruled_out if one.entity.name == "quiet"]
    assert quiet.reason == (
        "quiet wrote two warnings, but all evidence together gives it 1 % (place 2)."
    )
    assert quiet.evidence == ("E90",)


def test_what_speaks_against_a_suspect_is_the_reason_and_is_cited() -> None:
    cleared = Cleared(Entity("service", "quiet"), "its failing requests go on to x", ("E91",))
    ranking = replace(ranked(), cleared=(cleared,))
    report = INQUIRY.report(CASE, Shortlist(ranking))
    (quiet,) = [one for one in report.ruled_out if one.entity.name == "quiet"]
    assert quiet.reason == "quiet wrote two warnings, but its failing requests go on to x."
    assert quiet.evidence == ("E90", "E91")


def test_the_accused_is_never_ruled_out() -> None:
    ranking = ranked()
    accused = ranking.suspects[0].entity
    ranking = replace(ranking, cleared=(Cleared(accused, "somebody else did it"),))
    report = INQUIRY.report(CASE, Shortlist(ranking))
    assert accused.service_name not in {one.entity.service_name for one in report.ruled_out}


def test_a_node_is_called_a_node() -> None:
    ranking = ranked()
    node = replace(ranking.suspects[0], entity=Entity("node", "worker-1"), indicator=None)
    report = INQUIRY.report(CASE, Shortlist(replace(ranking, suspects=(node,))))
    assert report.summary.startswith("The node worker-1 is the most likely root cause")
