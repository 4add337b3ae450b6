"""Who calls whom around a service, and which services are known at all."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from aiops.analyze.service_graph import graph_of, joined, seen_in_spans
from aiops.app.surroundings import around, touches, within
from aiops.model.tool import Unread
from aiops_tools.names import ServiceName
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, table
from aiops_tools.telemetry.gathering import Readers, gather, graph_at
from aiops_tools.telemetry.known import known, names_known, services_in
from aiops_tools.telemetry.told import Told, heading
from aiops_tools.windows import InWindow, stretch


class Around(InWindow):
    """Around which service, and how many calls away."""

    service: ServiceName
    hops: Annotated[int, Field(ge=1, le=3, description="calls away, either way")] = 1
    limit: Annotated[int, Field(ge=1, le=300, description="calls answered")] = 100


class CallRow(Result):
    """One pair of caller and callee; counts are of the spans of the window, where there are any."""

    caller: str
    callee: str
    last_seen: datetime | None
    calls: int | None
    failed: int | None


class CallsFound(Told):
    """Calls between the services around one; ``callers`` and ``callees`` are its own."""

    service: str
    callers: list[str]
    callees: list[str]
    calls: list[CallRow]


def graph(readers: Readers, asked: Around) -> Answer:
    """The calls around a service."""
    window = asked.window(readers.now())
    whole, unread = graph_at(readers, window.end)
    near = around(whole, [asked.service], asked.hops)
    # Where nobody says who calls it, whole traces do.
    spans = gather(readers, "spans", near if len(near) > 1 else None, window)
    seen = () if spans.found.spans is None else seen_in_spans(spans.found.spans)
    whole = joined([whole, graph_of(seen)])
    if not touches(whole, [asked.service]):
        known(readers, [asked.service], services_in(spans.found), window)
        unread = (*unread, Unread(f"calls of {asked.service}", "nobody tells who calls it or whom"))
    near = around(whole, [asked.service], asked.hops)
    counted = {(one.source.service_name, one.target.service_name): one for one in seen}
    last: dict[tuple[str, str], float | None] = {}
    for call in within(whole, set(near)).calls:
        ends = call.source.service_name, call.target.service_name
        known_at = last.get(ends)
        last[ends] = max(filter(None, (known_at, call.last_seen)), default=None)
    rows = [
        CallRow(
            caller=caller,
            callee=callee,
            last_seen=None if at is None else datetime.fromtimestamp(at, UTC),
            calls=None if one is None else round(one.calls),
            failed=None if one is None else round(one.errors),
        )
        for (caller, callee), at in sorted(last.items())
        for one in [counted.get((caller, callee))]
    ]
    shown = rows[: asked.limit]
    result = CallsFound(
        window=stretch(window),
        sources=list(spans.sources),
        total=len(rows),
        left_out=len(rows) - len(shown),
        service=asked.service,
        callers=sorted({row.caller for row in rows if row.callee == asked.service}),
        callees=sorted({row.callee for row in rows if row.caller == asked.service}),
        calls=shown,
    )
    summary = paragraphs(
        heading(
            f"calls within {asked.hops} of {asked.service}", spans, window, len(rows), len(shown)
        ),
        table(
            ("caller", "callee", "calls", "failed"),
            ((row.caller, row.callee, row.calls, row.failed) for row in shown),
        ),
    )
    return Answer(result, summary, (*unread, *spans.unread))


class Everything(InWindow):
    """In which window they were heard of."""

    limit: Annotated[int, Field(ge=1, le=1000, description="names answered")] = 200


class ServicesFound(Told):
    """Names of services, sorted."""

    services: list[str]


def services(readers: Readers, asked: Everything) -> Answer:
    """Every service that calls, incidents or telemetry name."""
    window = asked.window(readers.now())
    found, unread = names_known(readers, window)
    names = sorted(found)
    shown = names[: asked.limit]
    result = ServicesFound(
        window=stretch(window),
        sources=[name for name, _ in readers.all],
        total=len(names),
        left_out=len(names) - len(shown),
        services=shown,
    )
    summary = (
        f"{len(names)} services are known: {', '.join(shown)}"
        if names
        else ("no service is known; check the sources with `aiops doctor`")
    )
    return Answer(result, summary, unread)


GRAPH = Question(
    "service_graph",
    "Who calls a service and whom it calls, with how often and how often that failed.",
    Around,
    CallsFound,
    graph,
    ("What depends on billing?", "Which services does the frontend call?"),
)
SERVICES = Question(
    "services",
    "Names of all services that calls, incidents or telemetry know.",
    Everything,
    ServicesFound,
    services,
    ("Which services are there?", "What is the payment service called?"),
)
