"""Every entry point of every aiops.* group loads and is what its group promises."""

import inspect
import subprocess
import sys
from importlib.metadata import EntryPoint, distribution, entry_points

import pytest

from aiops import plugins
from aiops.errors import UnknownName
from aiops.ports.analyzer import Analyzer
from aiops.ports.cases import CaseSource
from aiops.ports.ingestor import Ingestor
from aiops.ports.reader import Reader
from aiops.ports.telemetry import ChangeSource, LogSource, MetricSource, StateSource, TraceSource
from aiops.ports.tools import Toolset
from aiops.ports.webhook import AlertParser, ChangeParser

PORTS = {
    "aiops.analyzers": Analyzer,
    "aiops.case_sources": CaseSource,
    "aiops.readers": Reader,
}
PARSERS = {"aiops.alert_webhooks": AlertParser, "aiops.change_webhooks": ChangeParser}
NEEDED = {
    "recorded": {"case": "synthetic:7"},
    "kubernetes": {"cluster": "here", "kubeconfig": "none.yaml"},
}
"""What an ingestor needs to be made, where that is no address."""
OURS = [e for e in distribution("aiops").entry_points if e.group.startswith("aiops.")]


def title(entry: EntryPoint) -> str:
    return f"{entry.group}:{entry.name}"


def in_group(*groups: str) -> list[EntryPoint]:
    return [entry for entry in OURS if entry.group in groups]


def test_every_group_has_a_promise_that_is_tested_here():
    assert {entry.group for entry in OURS} == {
        *PORTS,
        *PARSERS,
        "aiops.commands",
        "aiops.ingestors",
        "aiops.notifiers",
        "aiops.toolsets",
        "aiops.transports",
    }


@pytest.mark.parametrize("entry", OURS, ids=title)
def test_it_loads_and_is_found_by_its_name(entry):
    assert entry.name in plugins.names(entry.group)
    assert plugins.load(entry.group, entry.name) is entry.load()


@pytest.mark.parametrize("entry", in_group(*PORTS), ids=title)
def test_it_is_made_without_arguments_and_has_every_member_of_its_port(entry):
    made = entry.load()()
    assert made.name == entry.name
    port = PORTS[entry.group]
    methods = [
        name for name, member in vars(port).items() if inspect.isfunction(member) and name[0] != "_"
    ]
    assert methods
    for method in methods:
        promised = inspect.signature(getattr(port, method)).parameters
        found = dict(inspect.signature(getattr(type(made), method)).parameters)
        assert list(found)[: len(promised)] == list(promised), method
        own = [found.pop(name) for name in list(found)[len(promised) :]]
        assert [p.kind for p in found.values()] == [p.kind for p in promised.values()], method
        assert all(p.default is not p.empty for p in own), f"{method}: a caller knows the port only"


@pytest.mark.parametrize("entry", in_group(*PARSERS), ids=title)
def test_a_parser_takes_a_push_and_nothing_else(entry):
    promised = inspect.signature(PARSERS[entry.group].__call__).parameters
    found = inspect.signature(entry.load()).parameters
    assert ["self", *found] == list(promised)


@pytest.mark.parametrize("entry", in_group("aiops.ingestors"), ids=title)
def test_an_ingestor_keeps_its_port_and_is_a_source_of_something(entry):
    kind = entry.load()
    made = kind.connect("mine", NEEDED.get(entry.name, {"url": "http://127.0.0.1:1"}))
    assert made.name == "mine"
    assert isinstance(made, MetricSource | LogSource | TraceSource | ChangeSource | StateSource)
    for method in ("connect", "check", "close"):
        promised = inspect.signature(getattr(Ingestor, method)).parameters
        assert len(inspect.signature(getattr(kind, method)).parameters) == len(promised)
    made.close()


@pytest.mark.parametrize("entry", in_group("aiops.toolsets"), ids=title)
def test_a_toolset_is_made_of_a_name_options_and_the_service(entry):
    kind = entry.load()
    assert len(inspect.signature(kind.connect).parameters) == 3
    for method in ("tools", "check", "close"):
        promised = inspect.signature(getattr(Toolset, method)).parameters
        assert len(inspect.signature(getattr(kind, method)).parameters) == len(promised)


@pytest.mark.parametrize("entry", in_group("aiops.transports"), ids=title)
def test_a_transport_makes_a_client_of_a_gateway_and_the_service(entry):
    transport = entry.load()
    assert inspect.iscoroutinefunction(transport)
    assert len(inspect.signature(transport).parameters) == 2


@pytest.mark.parametrize("entry", in_group("aiops.commands"), ids=title)
def test_a_command_adds_itself_under_the_name_it_is_registered_with(entry):
    import typer

    app = typer.Typer()
    entry.load()(app)
    names = [
        one.name or (one.callback.__name__ if one.callback else None)
        for one in app.registered_commands
    ]
    names += [one.name for one in app.registered_groups]
    assert entry.name in names


def test_case_sources_are_offered_in_the_order_of_their_names():
    found = [source.name for source in plugins.case_sources()]
    assert found == sorted(found) == list(plugins.names("aiops.case_sources"))


def test_a_name_nobody_registered_is_refused_with_the_choices():
    with pytest.raises(UnknownName, match=r"unknown case_source 'x'; choose from: .*uniform"):
        plugins.load("aiops.case_sources", "x")
    with pytest.raises(UnknownName, match=r"unknown method 'x'; choose from: .*aiops.*baro"):
        plugins.analyzer("x")


def test_an_analyzer_with_parts_is_offered_without_any_of_them():
    assert plugins.analyzer("aiops/no-calls").name == "aiops/no-calls"
    with pytest.raises(UnknownName, match=r"unknown part 'such'; choose from: .*calls"):
        plugins.analyzer("aiops/no-such")
    with pytest.raises(UnknownName, match="unknown method 'nsigma/no-calls'"):
        plugins.analyzer("nsigma/no-calls")


def test_listing_names_imports_nothing_that_is_registered():
    code = (
        "import sys; from aiops import plugins; plugins.names('aiops.analyzers');"
        "print([m for m in sys.modules if m.startswith(('aiops.analyze', 'aiops_', 'numpy'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Editable installs import a finder of their own at start-up.
    assert "aiops.analyze" not in done.stdout
    assert "numpy" not in done.stdout


def test_nothing_else_is_registered_under_our_groups_by_accident():
    groups = {entry.group for entry in OURS}
    installed = [entry for group in groups for entry in entry_points(group=group)]
    names = [(entry.group, entry.name) for entry in installed]
    assert len(set(names)) == len(names)
