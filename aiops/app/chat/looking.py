"""Answers from a tool that looks: logs, metrics, traces, now beside a day ago."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiops.analyze.wording import listed, plain
from aiops.app.chat.saying import Draft, Said, cite
from aiops.app.chat.scene import Scene, Stopped, titled
from aiops.app.chat.subjects import Subject
from aiops.model.canonical import canonical
from aiops.model.ranking import Window
from aiops.model.thread import Cited, Intent
from aiops.model.tool import Caller, Outcome, ToolCall

NOW: Final = ("-30m", "now")
"""What is looked at where nothing says when."""
BEFORE_ALERTS: Final = timedelta(minutes=10)
"""Ahead of an incident that is over: what led to it."""
LONGEST: Final = timedelta(hours=23)
"""The tools look at a day at most."""
_TOOLS: Final[dict[Intent, str]] = {
    "logs": "telemetry.log_templates",
    "metrics": "telemetry.metrics",
    "traces": "telemetry.traces",
    "yesterday": "telemetry.compare",
    "broken": "telemetry.anomalies",
}
_LINES: Final = 40
"""Lines of a tool's answer that are shown; the whole is behind the call."""
TOOLSET: Final = "telemetry"


@dataclass(frozen=True, slots=True)
class Look:
    """One question to a tool.

    Attributes:
        id: of the call, the same for the same question of a thread.
        run: whose budget it is paid from.
        told: is called when it is asked.
        stopped: whether the answer is not wanted any more.
    """

    id: str
    run: str
    author: str
    told: Callable[[], None]
    stopped: Stopped


def looked(
    scene: Scene,
    subject: Subject,
    intent: Intent,
    look: Look,
    *,
    days: int = 1,
    named: Window | None = None,
) -> Said:
    """What the tool for ``intent`` sees of the services asked about.

    Args:
        days: back, for comparisons.
        named: the time that the question names; else it is now, or that of an incident.
    """
    if not subject.services and intent in ("metrics", "traces", "yesterday"):
        return Said("Of what? Name a service, such as: show metrics of NAME.", ending="asks")
    if scene.tools is None:
        return Said("No tool is set up here that could look.", ending="failed")
    draft = Draft()
    window = _window(subject) if named is None else (_iso(named.start), _iso(named.end))
    arguments = _arguments(intent, subject.services, window, days, scene.now)
    outcome = _asked(scene, subject, intent, arguments, look)
    when = f"from {window[0]} to {window[1]}" if window != NOW else "of the last 30 minutes"
    whose = listed([plain(one) for one in subject.services]) or "every service"
    if outcome.status != "done":
        draft.add(f"I could not look at {whose}: {plain(outcome.summary)}")
        return draft.said("failed")
    if intent == "yesterday":
        when += f", beside {'a week' if days > 1 else 'a day'} before"
    draft.add(f"{_NAMES[intent]} of {whose} {when} [T1]:")
    if subject.incident is not None and named is None and window != NOW:
        draft.add(
            f"(the time of {titled(subject.incident)}, which is over)", cite(subject.incident)
        )
    lines = outcome.summary.splitlines()
    draft.add(
        "\n".join(map(plain, lines[:_LINES])),
        Cited("T1", f"{_TOOLS[intent]} {arguments}", plain(outcome.summary)[:200]),
    )
    if len(lines) > _LINES:
        draft.add(f"and {len(lines) - _LINES} more lines; name fewer services to see all")
    for missing in outcome.unread:
        draft.add(f"Not seen: {plain(missing.what)}: {plain(missing.reason)}")
    if outcome.suspicious:
        draft.add("Some of this reads like instructions. It is data; nobody follows it.")
    return draft.said()


_NAMES: Final[dict[Intent, str]] = {
    "logs": "Log statements",
    "metrics": "Metrics",
    "traces": "Traces",
    "yesterday": "Metrics",
    "broken": "What stands out",
}


def _asked(scene: Scene, subject: Subject, intent: Intent, arguments: str, look: Look) -> Outcome:
    incident = None if subject.incident is None else subject.incident.id
    call = ToolCall(
        id=look.id,
        tool=_TOOLS[intent],
        arguments=arguments,
        caller=Caller(look.author, "probe", look.run, incident),
        key=look.id,
        reason="asked in chat",
    )
    assert scene.tools is not None  # noqa: S101 - looked() has said so already
    look.told()
    with scene.tools((TOOLSET,)) as ask:
        return ask(call, look.stopped)


def _window(subject: Subject) -> tuple[str, str]:
    """Now; for an incident that is over its own time, unless a service was named on its own."""
    incident = subject.incident
    if incident is None or incident.open or incident.resolved_at is None:
        return NOW
    end = min(incident.resolved_at, incident.opened_at + LONGEST)
    return _iso(incident.opened_at - BEFORE_ALERTS), _iso(max(end, incident.opened_at))


def _arguments(
    intent: Intent,
    services: Sequence[str],
    window: tuple[str, str],
    days: int,
    now: datetime,
) -> str:
    given: dict[str, object] = {"start": window[0], "end": window[1]}
    if intent == "traces":
        given["service"] = services[0]
    elif services:
        given["services"] = list(services)
    if intent == "yesterday":
        back = timedelta(days=days)
        start, end = (_moment(each, now) - back for each in window)
        given |= {"baseline_start": _iso(start), "baseline_end": _iso(end)}
    return canonical(given)


def _moment(text: str, now: datetime) -> datetime:
    if text == "now":
        return now
    return now - timedelta(minutes=30) if text == NOW[0] else datetime.fromisoformat(text)


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
