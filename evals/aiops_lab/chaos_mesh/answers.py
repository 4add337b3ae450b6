"""HTTPChaos and IOChaos: how services answer, and how stores read and write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lab.chaos_mesh.attack import CannotEnact, Experiment, by_service, strained
from aiops_lab.chaos_mesh.scope import read_scope
from aiops_lab.faults.effects import Linked
from aiops_lab.net.weather import Link
from aiops_lab.topology.model import STORES, Behaviour

if TYPE_CHECKING:
    from aiops_lab.chaos_mesh.attack import Hit
    from aiops_lab.chaos_mesh.fields import Fields
    from aiops_lab.faults.effects import Effect

FAILED = 500


@dataclass(frozen=True, slots=True)
class AnswerAttack:
    """Answers that are cut off, late, or failures.

    Attributes:
        narrow: a filter, such as "path", that was asked for: the lab has none.
        code: of the answers in place of the true ones; 0: they stay.
        patched: whether their content is to be changed.
    """

    abort: bool = False
    delay_s: float = 0.0
    code: int = 0
    narrow: str = ""
    patched: bool = False

    def effects(self, hit: Hit) -> tuple[Effect, ...]:
        """See Attack."""
        if self.narrow:
            raise CannotEnact(
                f"{self.narrow} is not enacted: in the lab it is all requests of a pod or none; "
                "leave it out"
            )
        if self.patched or self.code not in (0, FAILED):
            raise CannotEnact(f"of replace and patch only replace.code {FAILED} is enacted")
        found: list[Effect] = []
        if self.abort:
            found += [
                Linked(Link(None, service, reset=1.0, callee_pods=tuple(pod.ip for pod in own)))
                for service, own in by_service(hit.pods)
            ]
        if self.delay_s or self.code:
            rate = 1.0 if self.code else 0.0
            found += strained(hit.pods, Behaviour(delay_s=self.delay_s, error_rate=rate))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class StoreAttack:
    """Reads and writes of a volume that are late or fail.

    Attributes:
        share: of the operations.
        action: as it was asked for.
    """

    action: str
    delay_s: float = 0.0
    share: float = 1.0

    def effects(self, hit: Hit) -> tuple[Effect, ...]:
        """See Attack."""
        if self.action not in ("latency", "fault"):
            raise CannotEnact(f"{self.action} is not enacted; use latency or fault")
        for service, _ in by_service(hit.pods):
            known = hit.topology.services.get(service)
            if known is None or known.role not in STORES:
                raise CannotEnact(f"{service} keeps nothing on a volume; select a store")
        if self.action == "fault":
            return strained(hit.pods, Behaviour(error_rate=self.share))
        if self.share < 1:
            raise CannotEnact("percent is not enacted for latency; leave it out, or make it 100")
        return strained(hit.pods, Behaviour(delay_s=self.delay_s))


def read_http_chaos(fields: Fields, namespace: str) -> Experiment:
    """An HTTPChaos."""
    fields.one_of("target", ("Request", "Response"))
    fields.require("port")
    port = fields.number("port", 80.0)
    if not 1 <= port <= 65535:
        fields.refuse("port", "must be between 1 and 65535")
    actions = [name for name in ("abort", "delay", "replace", "patch") if name in fields]
    if not actions:
        fields.require("abort")
    delay_s = fields.seconds("delay", 0.0) or 0.0
    if delay_s < 0:
        fields.refuse("delay", "must not be negative")
    given = [name for name in ("method", "code", "request_headers", "response_headers")
             if fields.whole().get(name)]  # fmt: skip
    if fields.text("path", "*") not in ("*", "/*"):
        given.append("path")
    replaced = fields.inner("replace")
    patched = "patch" in fields or bool(set(replaced.names()) - {"code"})
    return Experiment(
        scope=read_scope(fields, namespace),
        attack=AnswerAttack(
            abort=fields.flag("abort"),
            delay_s=delay_s,
            code=int(replaced.number("code")),
            narrow=", ".join(given),
            patched=patched,
        ),
        duration_s=fields.seconds("duration"),
    )


def read_io_chaos(fields: Fields, namespace: str) -> Experiment:
    """An IOChaos."""
    action = fields.one_of("action", ("latency", "fault", "attrOverride", "mistake"))
    fields.require("volumePath")
    if action == "latency":
        fields.require("delay")
    if action == "fault":
        fields.require("errno")
        fields.number("errno")
    return Experiment(
        scope=read_scope(fields, namespace),
        attack=StoreAttack(action, fields.seconds("delay", 0.0) or 0.0, fields.percent("percent")),
        duration_s=fields.seconds("duration"),
        containers=fields.texts("containerNames"),
        by_container=True,
    )
