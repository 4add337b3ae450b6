"""What every tool of every toolset keeps to, whoever wrote it."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import EntryPoint, distribution
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from small_world import NOON, answer, context, with_incident, world

from aiops import plugins
from aiops.app.investigate import investigate
from aiops.bootstrap.service import Service
from aiops.bootstrap.tools import toolbelt_of
from aiops.errors import InvalidInput, ToolFailed
from aiops.model.canonical import canonical, parsed
from aiops.model.investigation import Investigation
from aiops.model.tool import Caller, ToolCall, ToolResult
from aiops.notify.in_memory import Outbox
from aiops.ports.tools import Tool, Toolset
from aiops.toolbelt.marks import marks
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.schemas import Schemas
from aiops_datasets.synthetic import plant, specified
from aiops_tools.incidents.toolset import Incidents

ENTRIES = sorted(
    (one for one in distribution("aiops").entry_points if one.group == "aiops.toolsets"),
    key=lambda one: one.name,
)
NEEDED: Mapping[str, Callable[[Path], Mapping[str, object]]] = {
    "aws": lambda folder: {
        "account": "123456789012",
        "region": "eu-west-1",
        "endpoint_url": "https://127.0.0.1:1",
        "credentials_file": str(folder / "reader"),
        "write_credentials_file": str(folder / "writer"),
    },
    "gcp": lambda folder: {
        "project": "shop-prod",
        "region": "europe-west1",
        "endpoint_url": "https://127.0.0.1:1",
        "credentials_file": str(folder / "reader"),
        "write_credentials_file": str(folder / "writer"),
    },
    "kubernetes": lambda folder: {
        "cluster": "here",
        "server": "https://127.0.0.1:1",
        "token_file": str(folder / "reader"),
        "write_token_file": str(folder / "writer"),
    },
}
"""What ``[tools.<name>]`` of a kind needs to be made; nothing has to answer at the addresses."""
PLACES = ("cluster", "account", "project")
"""Formats that say where: an object is ambiguous without one of them."""
OBJECTS = ("namespace", "pod", "workload", "node", "instance")
"""Formats of names that mean something only within a place."""
ORDERS = re.compile(
    r"\b(you must|you should|always|never|ignore|before (using|calling)|first call|make sure|"
    r"do not|don't|important)\b",
    re.IGNORECASE,
)
WRONG: tuple[object, ...] = ({"of": "another type"}, [[1]], "\x00", -1e300, None)
REPORT = investigate(plant(specified("synthetic:7")).data, plugins.analyzer("metrics"))

READS: Mapping[str, Mapping[str, object]] = {
    "telemetry.services": {},
    "telemetry.service_graph": {"service": "api"},
    "telemetry.metrics": {"services": ["api"]},
    "telemetry.compare": {"services": ["store"], "start": "-10m"},
    "telemetry.anomalies": {"start": "-15m"},
    "telemetry.logs": {"text": "disk"},
    "telemetry.log_templates": {"start": "-10m"},
    "telemetry.traces": {"service": "api", "failed": True},
    "telemetry.critical_path": {"trace_id": "trace059"},
    "incidents.find": {},
    "incidents.get": {"incident": "inc-001"},
    "incidents.timeline": {"incident": "inc-001"},
    "incidents.report": {"incident": "inc-001"},
    "incidents.similar": {"services": ["api"]},
    "analysis.investigate": {"incident": "inc-001"},
    "analysis.explain_window": {"services": ["web"]},
    "analysis.slo_state": {},
}
"""Arguments for each tool that reads what the service keeps."""
WRITES: Mapping[str, Mapping[str, object]] = {
    "incidents.add_note": {"incident": "inc-001", "text": "tried a rollback"},
    "incidents.set_verdict": {"incident": "inc-001", "verdict": "right"},
    "incidents.notify": {"incident": "inc-001", "channel": "outbox"},
}


def kept() -> Service:
    """A service with telemetry, and one incident with a report."""
    service = world()
    service.investigations.save(Investigation("inv-001", "inc-001", NOON, REPORT))
    with_incident(service, report="inv-001")
    return service


def made(entry: EntryPoint, folder: Path) -> Toolset:
    for name in ("reader", "writer"):
        (folder / name).write_text(f"token-of-{name}")
    options = NEEDED[entry.name](folder) if entry.name in NEEDED else {}
    try:
        toolset: Toolset = entry.load().connect("mine", options, kept())
    except InvalidInput as error:
        pytest.fail(f"{error}; say in NEEDED what toolset {entry.name!r} takes")
    return toolset


@pytest.fixture(scope="module", params=ENTRIES, ids=lambda entry: entry.name)
def toolset(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Toolset]:
    found = made(request.param, tmp_path_factory.mktemp(request.param.name))
    yield found
    found.close()


@pytest.fixture(scope="module")
def tools(toolset: Toolset) -> list[Tool]:
    return list(toolset.tools())


def formats(schema: object) -> Iterator[str]:
    """Every format of a property, however it is wrapped."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("format"), str):
            yield schema["format"]
        for inner in schema.values():
            yield from formats(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from formats(inner)


def needed_formats(arguments: Mapping[str, Any]) -> set[str]:
    """Names and formats of the arguments that a call cannot leave out."""
    required = arguments.get("required", [])
    found = {one for name in required for one in formats(arguments["properties"][name])}
    return {*found, *required}


def test_every_tool_is_named_after_its_toolset_and_once(toolset, tools):
    names = [one.spec.name for one in tools]
    assert names
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(rf"{toolset.name}\.[a-z][a-z0-9_]{{1,40}}", name) for name in names)


def test_both_schemas_are_closed_objects_of_the_2020_12_draft(tools):
    for one in tools:
        Schemas(one.spec)
        for text in (one.spec.arguments, one.spec.result):
            schema = parsed(text)
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object", one.spec.name
            assert canonical(schema) == text, one.spec.name
        assert parsed(one.spec.arguments)["additionalProperties"] is False, one.spec.name


def test_objects_of_a_cluster_or_account_are_never_named_without_it(tools):
    for one in tools:
        arguments = parsed(one.spec.arguments)
        if set(formats(arguments)).intersection((*OBJECTS, *PLACES)):
            assert needed_formats(arguments).intersection(PLACES), one.spec.name


def test_a_description_says_what_a_tool_is_and_orders_nothing(tools):
    for one in tools:
        said = one.spec.description
        assert 20 <= len(said) <= 400, one.spec.name
        assert said[0].isupper(), one.spec.name
        assert said.endswith("."), one.spec.name
        assert not ORDERS.search(said), one.spec.name
        assert not marks(said), one.spec.name


def test_examples_are_in_peoples_words(tools):
    for one in tools:
        assert one.spec.examples, one.spec.name
        assert all(5 <= len(said) <= 200 for said in one.spec.examples), one.spec.name
        assert not any(marks(said) for said in one.spec.examples), one.spec.name


def test_reads_read_and_writes_are_previewed_carried_out_and_verified(tools):
    for one in tools:
        spec = one.spec
        reads = spec.effect == "read"
        for method in ("preview", "apply", "verify"):
            assert iscoroutinefunction(getattr(one, method, None)) is not reads, spec.name
        assert iscoroutinefunction(getattr(one, "read", None)) is reads, spec.name
        assert (spec.capability == "executor") is not reads, spec.name
        assert (spec.risk == "none") is reads, spec.name
        assert spec.idempotent or not reads, spec.name
        assert 0 < spec.timeout_s <= 900, spec.name


def test_arguments_that_a_tool_does_not_know_are_refused(tools):
    for one in tools:
        with pytest.raises(Refused):
            Schemas(one.spec).check_arguments({"surely_no_argument_of_it": 1})
        with pytest.raises(ToolFailed):
            asked(one, {"surely_no_argument_of_it": 1})


def test_every_argument_has_a_type_that_something_is_not_of(tools):
    for one in tools:
        schema = parsed(one.spec.arguments)
        for name in schema.get("properties", {}):
            assert wrong_for(schema, name), f"{one.spec.name}: {name}"


def test_wrong_types_are_refused_and_never_break_a_tool(tools):
    for one in tools:
        schemas, schema = Schemas(one.spec), parsed(one.spec.arguments)
        for name in schema.get("properties", {}):
            for wrong in wrong_for(schema, name):
                with pytest.raises(Refused):
                    schemas.check_arguments({name: wrong})
                with suppress(ToolFailed):  # past the gateway types may be laxer; no traceback
                    asked(one, {name: wrong})


def test_no_tool_tells_its_secrets(toolset, tools):
    for each in (toolset, *tools):
        assert "token-of-" not in repr(each)


def wrong_for(schema: Mapping[str, Any], name: str) -> list[object]:
    """Those of WRONG that the argument called ``name`` cannot be."""
    own = {"$defs": schema.get("$defs", {}), **schema["properties"][name]}
    return [wrong for wrong in WRONG if not Draft202012Validator(own).is_valid(wrong)]


def asked(one: Tool, arguments: Mapping[str, Any]) -> object:
    call = one.preview if hasattr(one, "preview") else one.read
    return asyncio.run(call(arguments, context()))


def own_tools(service: Service) -> dict[str, Any]:
    """The tools over what the service keeps, people to tell among them."""
    found = [
        plugins.load("aiops.toolsets", kind).connect(kind, {}, service)
        for kind in ("telemetry", "analysis")
    ]
    toolsets = [*found, Incidents("incidents", service, [Outbox()])]
    return {one.spec.name: one for toolset in toolsets for one in toolset.tools()}


def test_every_tool_over_what_we_keep_is_called_below():
    assert {*READS, *WRITES} == set(own_tools(kept()))


@pytest.mark.parametrize("name", READS)
def test_a_read_answers_the_same_twice_and_changes_nothing(name):
    service = kept()
    before = state_of(service)
    one = own_tools(service)[name]
    first, second = (answer(one, READS[name]) for _ in range(2))
    assert comparable(first) == comparable(second)
    Schemas(one.spec).check_result(first.content)
    assert first.summary
    assert state_of(service) == before


@pytest.mark.parametrize("name", WRITES)
def test_a_preview_changes_nothing_and_is_the_same_while_nothing_changes(name):
    service = kept()
    before = state_of(service)
    one = own_tools(service)[name]
    Schemas(one.spec).check_arguments(WRITES[name])
    first, second = (asyncio.run(one.preview(WRITES[name], context())) for _ in range(2))
    assert first == second
    assert first.diff
    assert first.targets
    assert all(target.cluster for target in first.targets)
    assert (first.undo is not None) is one.spec.reversible
    assert state_of(service) == before


@pytest.mark.parametrize("name", READS)
def test_a_read_passes_the_gateway_and_leaves_one_row_in_the_audit_log(name):
    service = kept()
    caller = Caller("test", "observer", "run-1")
    call = ToolCall("call-1", name, canonical(READS[name]), caller, "key-1")

    async def called() -> Any:
        with toolbelt_of(service) as belt:
            return await belt.call(call)

    outcome = asyncio.run(called())
    assert (outcome.status, outcome.reason) == ("done", None), outcome.summary
    assert len(list(service.audit.entries())) == 1


def state_of(service: Service) -> object:
    """Everything that a tool could have changed, in a form that can be compared."""
    start = NOON.replace(hour=0)
    return (
        service.incidents.get("inc-001"),
        service.incidents.timeline("inc-001"),
        service.investigations.newest(),
        service.telemetry.graph(NOON),
        len(service.telemetry.logs(None, start, NOON).times),
        len(service.telemetry.spans(None, start, NOON).starts),
        len(service.telemetry.metrics(None, start, NOON).times),
        service.queue.dead(),
        list(service.audit.entries()),
    )


def comparable(result: ToolResult) -> tuple[object, ...]:
    return result.content, result.unread, result.refs
