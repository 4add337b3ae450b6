"""NetworkChaos and DNSChaos: links between pods, and names they look up."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, cast

from aiops_lab.chaos_mesh.attack import CannotEnact, Experiment, by_service
from aiops_lab.chaos_mesh.scope import read_scope
from aiops_lab.faults.effects import Linked, Unresolved
from aiops_lab.net.weather import Link, Lookup

if TYPE_CHECKING:
    from aiops_lab.chaos_mesh.attack import Hit
    from aiops_lab.chaos_mesh.fields import Fields
    from aiops_lab.chaos_mesh.scope import Target
    from aiops_lab.faults.effects import Effect

Direction = Literal["to", "from", "both"]
_ACTIONS = ("netem", "delay", "loss", "duplicate", "corrupt", "partition", "bandwidth")
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(bps|bit)", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
CALM = Link(None, None)


@dataclass(frozen=True, slots=True)
class LinkAttack:
    """The same weather on every link between the two ends.

    Attributes:
        weather: what happens to what passes; without the two ends.
        missing: what was asked for that shows in no connection, such as "duplicate".
    """

    weather: Link
    direction: Direction = "to"
    missing: str = ""

    def effects(self, hit: Hit) -> tuple[Effect, ...]:
        """See Attack."""
        if self.missing:
            raise CannotEnact(
                f"{self.missing} is not enacted: the lab's links carry TCP streams, in which it "
                "does not show; use delay, loss, corrupt, bandwidth or partition"
            )
        # A queue on a pod's interface meets each call once, on the way there or back; a call
        # between two pods that both have one meets two.
        weather = self.weather
        if self.direction == "both" and hit.others is not None:
            weather = replace(
                weather, delay_s=2 * weather.delay_s, loss=1 - (1 - weather.loss) ** 2
            )
        links = []
        for service, own in by_service(hit.pods):
            mine = _addresses(own)
            ends = [(None, ())] if hit.others is None else _ends(hit.others)
            for other, theirs in ends:
                out = replace(weather, caller=service, caller_pods=mine)
                into = replace(weather, callee=service, callee_pods=mine)
                links.append(replace(out, callee=other, callee_pods=theirs))
                links.append(replace(into, caller=other, caller_pods=theirs))
        return tuple(map(Linked, links))


def _addresses(pods: tuple[Target, ...]) -> tuple[str, ...]:
    return tuple(pod.ip for pod in pods)


def _ends(pods: tuple[Target, ...]) -> list[tuple[str | None, tuple[str, ...]]]:
    return [(service, _addresses(own)) for service, own in by_service(pods)]


@dataclass(frozen=True, slots=True)
class NameAttack:
    """Names that match a pattern do not resolve; no patterns: none does."""

    patterns: tuple[str, ...]
    random: bool = False

    def effects(self, hit: Hit) -> tuple[Effect, ...]:
        """See Attack."""
        if self.random:
            raise CannotEnact("random answers are not enacted; use the action error")
        topology = hit.topology
        names: list[str | None] = [None]
        if self.patterns:
            names = [n for n in topology.services if self._fits(n, topology.namespace)]
        if not names:
            listed = ", ".join(self.patterns)
            raise CannotEnact(f"no service of the lab has a name like {listed}")
        return tuple(
            Unresolved(Lookup(service, name, "SERVFAIL", _addresses(own)))
            for service, own in by_service(hit.pods)
            for name in names
        )

    def _fits(self, service: str, namespace: str) -> bool:
        forms = [service, f"{service}.{namespace}", f"{service}.{namespace}.svc"]
        forms.append(f"{service}.{namespace}.svc.cluster.local")
        return any(fnmatchcase(form, pattern) for form in forms for pattern in self.patterns)


def read_network_chaos(fields: Fields, namespace: str) -> Experiment:
    """A NetworkChaos."""
    action = fields.one_of("action", _ACTIONS)
    direction = fields.one_of("direction", ("to", "from", "both"), "to")
    if fields.texts("externalTargets"):
        fields.refuse("externalTargets", "is not supported: the lab has loopback only")
    asked = [name for name in _READERS if name in fields] if action == "netem" else [action]
    if action == "netem" and not asked:
        fields.require("delay")
    weather, missing = CALM, ""
    for name in asked:
        if name == "duplicate":
            missing = name
        elif name in _READERS:
            fields.require(name)
            weather = _READERS[name](fields.inner(name), weather)
        elif name == "partition":
            weather = replace(weather, partition=True)
    others = read_scope(fields.inner("target"), namespace) if "target" in fields else None
    return Experiment(
        scope=read_scope(fields, namespace),
        attack=LinkAttack(weather, cast("Direction", direction), missing),
        duration_s=fields.seconds("duration"),
        others=others,
    )


def _delay(fields: Fields, link: Link) -> Link:
    fields.require("latency")
    latency, jitter = fields.seconds("latency", 0.0) or 0.0, fields.seconds("jitter", 0.0) or 0.0
    for name, value in (("latency", latency), ("jitter", jitter)):
        if value < 0:
            fields.refuse(name, "must not be negative")
    # netem draws from latency - jitter to latency + jitter.
    least = max(latency - jitter, 0.0)
    return replace(link, delay_s=least, jitter_s=latency + jitter - least)


def _loss(fields: Fields, link: Link) -> Link:
    fields.require("loss")
    return replace(link, loss=1 - (1 - link.loss) * (1 - fields.percent("loss", 0.0)))


def _corrupt(fields: Fields, link: Link) -> Link:
    # A damaged segment fails its checksum, and is sent again as a lost one is.
    fields.require("corrupt")
    return replace(link, loss=1 - (1 - link.loss) * (1 - fields.percent("corrupt", 0.0)))


def _bandwidth(fields: Fields, link: Link) -> Link:
    fields.require("rate")
    text = fields.text("rate")
    found = _RATE.fullmatch(text.strip())
    if found is None:
        if text:
            fields.refuse("rate", "must be a rate such as 1mbps or 500kbit")
        return link
    # As tc(8) reads them: bps are bytes a second.
    size = float(found[1]) * 1000 ** _POWERS[found[2].lower()]
    rate = size / 8 if found[3].lower() == "bit" else size
    if rate <= 0:
        fields.refuse("rate", "must be greater than 0")
        return link
    return replace(link, bandwidth=rate)


def _duplicate(_fields: Fields, link: Link) -> Link:
    return link


_READERS = {
    "delay": _delay,
    "loss": _loss,
    "corrupt": _corrupt,
    "bandwidth": _bandwidth,
    "duplicate": _duplicate,
}


def read_dns_chaos(fields: Fields, namespace: str) -> Experiment:
    """A DNSChaos."""
    action = fields.one_of("action", ("error", "random"))
    return Experiment(
        scope=read_scope(fields, namespace),
        attack=NameAttack(fields.texts("patterns"), random=action == "random"),
        duration_s=fields.seconds("duration"),
    )
