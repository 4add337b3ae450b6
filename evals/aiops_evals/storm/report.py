"""What storms did, as a page for people. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiops_evals.storm.measured import Outcome, Times
from aiops_evals.tables import markdown

P99_MS = 150.0
ACT_MS = 500.0


def held(outcome: Outcome) -> bool:
    """Whether everything that is promised was kept."""
    acts = max(outcome.storm_acts.p99_ms, outcome.acts.p99_ms)
    return (
        not (outcome.lost or outcome.uncounted or outcome.wrong or outcome.sent.refused)
        and outcome.sent.p99_ms <= P99_MS
        and acts <= ACT_MS
    )


def report(outcomes: Sequence[Outcome], machine: Mapping[str, Any], note: str) -> str:
    """Markdown: the machine, what was sent, and one column a service."""
    load = outcomes[0].load
    head = ("what", "asked", *map(_name, outcomes))
    columns = [dict(_lines(each)) for each in outcomes]
    asked = {**_ASKED, "latency p99": f"{P99_MS:.0f} ms"}
    rows = [(what, asked.get(what, "-"), *(each[what] for each in columns)) for what in columns[0]]
    return (
        "# Alert storm\n\n"
        f"`aiops eval storm`, {machine['cores']} cores shared by the client, the service and its "
        f"database, {machine['architecture']}, Python {machine['python']}, {machine['date']}. "
        f"{load.rate:,} requests/s for {load.seconds} s in an open loop over {load.connections} "
        f"connections, one alert each, from {load.sources:,} sources, 80 % of them repetitions. "
        "Latency counts from when a request was due. State changes are acknowledge and resolve "
        f"over the API, one after another.{' ' + note if note else ''}\n\n"
        f"{markdown(head, rows, names=1)}\n"
    )


_ASKED = {
    "sent a second": ">= 990",
    "answered other than 202": "0",
    "alerts lost": "0",
    "repetitions not counted": "0",
    "groups not in one incident of their own": "0",
    "state changes in the storm": f"{ACT_MS:.0f} ms",
    "state changes after it": f"{ACT_MS:.0f} ms",
    "open incidents then": ">= 10,000",
}


def _name(outcome: Outcome) -> str:
    engine = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(outcome.engine, outcome.engine)
    return f"{engine}, {outcome.workers} workers" if outcome.workers else engine


def _lines(outcome: Outcome) -> list[tuple[str, str]]:
    sent = outcome.sent
    return [
        ("sent a second", f"{sent.sent_per_s:.0f}"),
        ("answered other than 202", f"{len(sent.refused):,}"),
        ("alerts lost", f"{outcome.lost:,}"),
        ("repetitions not counted", f"{outcome.uncounted:,}"),
        ("incidents (by the grouping rule)", f"{outcome.incidents:,} ({outcome.expected:,})"),
        ("groups not in one incident of their own", f"{outcome.wrong:,}"),
        ("latency p50", f"{sent.p50_ms:.0f} ms"),
        ("latency p95", f"{sent.p95_ms:.0f} ms"),
        ("latency p99", f"{sent.p99_ms:.0f} ms"),
        ("latency max", f"{sent.max_ms:.0f} ms"),
        ("seconds whose own p99 was above that", _slow(outcome)),
        ("triage behind at the end", f"{outcome.behind_s:.1f} s"),
        ("state changes in the storm", _times(outcome.storm_acts)),
        ("state changes after it", _times(outcome.acts)),
        ("open incidents then", f"{outcome.open_incidents:,}"),
        ("cores used by the client", f"{sent.cpu:.2f}"),
        ("cores used by the service", f"{outcome.service_cpu:.2f}"),
        ("cores used by the whole machine", f"{outcome.machine_cpu:.2f}"),
    ]


def _slow(outcome: Outcome) -> str:
    seconds = outcome.sent.p99_per_second_ms
    return f"{sum(each > P99_MS for each in seconds)} of {len(seconds)}"


def _times(times: Times) -> str:
    return f"p99 {times.p99_ms:.0f}, max {times.max_ms:.0f} ms ({times.number:,})"
