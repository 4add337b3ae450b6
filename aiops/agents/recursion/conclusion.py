"""What a walk says for and against the services that it met, as evidence."""

from typing import Final

from aiops.agents.recursion.requests import FailingRequests
from aiops.agents.recursion.walk import MOST, Found, Stop, Walk
from aiops.analyze.wording import listed, plain
from aiops.model import Evidence
from aiops.model.ranking import EvidenceKind
from aiops.model.trail import Lean, Trail

_IN_WORDS: Final[dict[EvidenceKind, str]] = {
    "state": "the cluster's state",
    "event": "its events",
    "change": "a change",
    "log": "logs",
    "metric": "metrics",
    "trace": "traces",
}


def concluded(walked: Walk, requests: FailingRequests) -> Trail | None:
    """What ``walked`` says; None where it met nobody with signs of its own."""
    end = walked.end
    if end is None:
        return None
    way = _services(end.path)
    recorded = [stop.service for stop in end.path if stop.spans]
    some, total = requests.through(recorded), len(requests.roots)
    claim = _claim(end, way, some, total)
    evidence = Evidence("", "trace", claim, requests.source, requests.window(), recorded[-1])
    # Of a way that few of them go, nothing follows for those that they all pass through.
    on_the_way = way if some >= MOST * total else ()
    passed = [one for one in walked.found if one.service in {*on_the_way} - {end.service}]
    leans = (
        Lean(end.service, end.sign.strength, ""),
        *(Lean(one.service, -one.sign.strength, _passed_on(end)) for one in passed),
    )
    actions = tuple(f"{one.act} {one.about}" for one in walked.actions)
    return Trail((evidence,), leans, actions, walked.forced)


def _services(path: tuple[Stop, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(stop.service for stop in path))


def _claim(end: Found, way: tuple[str, ...], some: int, total: int) -> str:
    name = plain(end.service)
    if len(way) == 1:
        return (
            f"{some} of {_counted(total)} enter by {name}, and no call below it has more telling "
            "signs of its own."
        )
    path = " -> ".join(plain(one) for one in way)
    wait = ", and those before it wait for it" if some >= MOST * total else ""
    return (
        f"{some} of {_counted(total)} go {path}: of the services on this way {name} has the most "
        f"telling signs of its own{wait}."
    )


def _counted(requests: int) -> str:
    return f"{requests} failing request{'s' if requests > 1 else ''}"


def _passed_on(end: Found) -> str:
    kinds = [word for kind, word in _IN_WORDS.items() if kind in end.sign.kinds]
    why = f" ({listed(kinds)})" if kinds else ""
    return f"its failing requests go on to {plain(end.service)}, against which more speaks{why}"
