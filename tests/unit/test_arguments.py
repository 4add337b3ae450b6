"""``aiops rca --explain``: what was suspected, what it weighs, and what would refute it."""

import pytest

from aiops import plugins
from aiops.analyze.fusion import weigh
from aiops.app.rendering.arguments import render
from aiops.bootstrap import wire
from aiops.cli import main
from aiops.errors import InvalidInput
from aiops.model import Entity, FaultType, Hypothesis
from aiops.settings import Settings
from aiops_datasets.synthetic import world


def suspected(**change):
    given = {
        "entity": Entity("service", "back"),
        "fault": FaultType.CPU,
        "kind": "cpu_rose",
        "size": 9.0,
        "unit": "variations",
        "floor": 1.0,
        "strength": 2.3,
        "refuted_by": "cpu of back is at its baseline",
    }
    return Hypothesis(**{**given, **change})


def test_a_hypothesis_is_shown_with_its_size_its_floor_and_what_would_refute_it():
    text = render(weigh([("metrics", suspected())], None), top=5)
    assert text.startswith("1. back (service), 2.3 nats")
    assert "9 variations, least that matters 1; strength 2.3" in text
    assert "refuted by: cpu of back is at its baseline" in text


def test_names_cannot_move_the_cursor():
    hostile = suspected(entity=Entity("service", "a\x1b[2Jb"))
    assert "\x1b" not in render(weigh([("logs", hostile)], None), top=5)


def test_nothing_suspected_is_said():
    assert render((), top=5) == "No reader raised any hypothesis.\n"


def test_the_first_argued_is_the_first_ranked():
    case = world(7).data
    app = wire(Settings())
    assert app.argue(case)[0].hypothesis.entity == app.analyzer.rank(case).suspects[0].entity


def test_a_method_without_hypotheses_is_refused_in_one_line():
    with pytest.raises(InvalidInput, match="--explain needs"):
        wire(Settings(method="baro")).argue(world(7).data)


def test_the_command_prints_the_arguments(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["aiops", "rca", "synthetic:7", "--explain", "--top", "2"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    shown = capsys.readouterr().out
    assert shown.startswith("1. ")
    assert "\n3. " not in shown
    assert plugins.names("aiops.readers")
