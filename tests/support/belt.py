"""A small cluster of fakes behind a real gateway: tools with the names of the real ones."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from aiops.errors import Drifted, ToolFailed
from aiops.events.in_process import InProcessEvents
from aiops.model.alert import Severity
from aiops.model.approval import Mode
from aiops.model.canonical import canonical
from aiops.model.tool import (
    BlastRadius,
    Caller,
    Capability,
    Outcome,
    Preview,
    Risk,
    Target,
    ToolCall,
    ToolResult,
    ToolSpec,
    Undo,
    Verified,
)
from aiops.ports.tools import Progress, Tool, ToolContext
from aiops.store.approvals import MemoryApprovals, MemorySwitch
from aiops.store.calls import MemoryLedger
from aiops.store.clock import ManualClock
from aiops.store.ids import CountedIds
from aiops.store.repositories import MemoryAudit
from aiops.toolbelt.budget import Budget
from aiops.toolbelt.doors import Doors, Rules
from aiops.toolbelt.finish import Finish, Finished
from aiops.toolbelt.gateway import Gateway
from aiops.toolbelt.policy import load_policy
from aiops.toolbelt.protection import Protection
from aiops.toolbelt.radius import RadiusLimits

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLUSTER, NAMESPACE = "prod", "shop"
_LABEL = {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "maxLength": 63}
_PLACE: dict[str, Any] = {
    "cluster": {"type": "string", "format": "cluster", "minLength": 1},
    "namespace": {**_LABEL, "format": "namespace"},
    "name": {**_LABEL, "format": "workload"},
}
GET = {"cluster": CLUSTER, "namespace": NAMESPACE, "name": "web", "kind": "Deployment"}
_ANY = canonical({"type": "object"})


def schema(required: tuple[str, ...] = ("cluster", "namespace", "name"), **more: Any) -> str:
    """Of arguments at a place."""
    properties = {**_PLACE, **more}
    return canonical({"type": "object", "properties": properties, "required": [*required, *more]})


@dataclass
class Cluster:
    """Workloads by name, with their replicas; counts every change.

    Attributes:
        stuck: names of workloads that never reach what they are asked for.
        writes: (workload, replicas, approval's action as the API saw it) in order.
    """

    replicas: dict[str, int] = field(default_factory=lambda: {"web": 3, "api": 2, "idle": 0})
    generation: dict[str, int] = field(default_factory=dict)
    stuck: set[str] = field(default_factory=set)
    writes: list[tuple[str, int]] = field(default_factory=list)

    def at(self, name: str) -> int:
        """How many replicas it has."""
        if name not in self.replicas:
            raise ToolFailed("not_found", f"there is no workload {name!r}")
        return self.replicas[name]

    def state(self, name: str) -> str:
        """Hash of its state."""
        seen = f"{name} {self.at(name)} {self.generation.get(name, 0)}"
        return hashlib.sha256(seen.encode()).hexdigest()

    def drift(self, name: str) -> None:
        """Somebody else changes it."""
        self.generation[name] = self.generation.get(name, 0) + 1

    def put(self, name: str, replicas: int) -> None:
        """Change it."""
        self.writes.append((name, replicas))
        self.replicas[name] = replicas


def spec(name: str, arguments: str, **more: Any) -> ToolSpec:
    """A ToolSpec that reads, unless it is said to write."""
    return ToolSpec(
        **{
            "name": name,
            "description": name,
            "arguments": arguments,
            "result": _ANY,
            "effect": "read",
            "capability": "probe",
            **more,
        }
    )


@dataclass
class Read:
    """A Reading tool whose answer a test chooses."""

    spec: ToolSpec
    answer: Callable[[Mapping[str, Any]], ToolResult]
    takes_s: float = 0
    reads: int = 0

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        self.reads += 1
        context.report(Progress(0.5, "half of it"))
        await asyncio.sleep(self.takes_s)
        return self.answer(arguments)


@dataclass
class Scale:
    """A Writing tool that sets the replicas of a workload."""

    cluster: Cluster
    spec: ToolSpec = field(
        default_factory=lambda: spec(
            "kubernetes.scale",
            schema(replicas={"type": "integer", "minimum": 0, "maximum": 100}),
            effect="write",
            capability="executor",
            risk="medium",
        )
    )
    takes_s: float = 0
    kind: str = "Deployment"
    undoes: bool = True
    applies: int = 0

    async def preview(self, arguments: Mapping[str, Any], context: ToolContext) -> Preview:
        name, to = arguments["name"], arguments["replicas"]
        was = self.cluster.at(name)
        undo = Undo(self.spec.name, canonical({**arguments, "replicas": was}))
        return Preview(
            summary=f"scale {name} from {was} to {to}",
            targets=(Target(arguments["cluster"], self.kind, name, arguments["namespace"]),),
            diff=f"-replicas: {was}\n+replicas: {to}\n",
            state=self.cluster.state(name),
            radius=BlastRadius(1, max(0, was - to), was),
            undo=undo if self.undoes else None,
        )

    async def apply(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> ToolResult:
        self.applies += 1
        name = arguments["name"]
        if self.cluster.state(name) != preview.state:
            raise Drifted(f"{name} has changed")
        self.cluster.put(name, arguments["replicas"])
        await asyncio.sleep(self.takes_s)
        return ToolResult(canonical({"replicas": arguments["replicas"]}), "scaled")

    async def verify(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> Verified:
        name, to = arguments["name"], arguments["replicas"]
        if name in self.cluster.stuck and to > 3:
            return Verified(False, f"3 of {to} are ready")
        return Verified(self.cluster.at(name) == to, f"{self.cluster.at(name)} of {to} are ready")


class Plain:
    """A Finish that only hides the word "hunter2"."""

    def redact(self, text: str, run: str) -> str:
        return text.replace("hunter2", "<secret>")

    def lasting(self, text: str) -> str:
        return self.redact(text, "")

    def holds_secret(self, text: str) -> bool:
        return "hunter2" in text

    def result(self, call: ToolCall, result: ToolResult) -> Finished:
        run = call.caller.run
        return Finished(self.redact(result.summary, run), self.redact(result.content, run))


RULES = Rules(
    mode="approve",
    policy=load_policy(None),
    protection=Protection(("kube-*",), ("Secret", "Namespace"), ("*/*/Deployment/vault*",)),
    radius=RadiusLimits(objects=3, namespaces=1, share=0.5),
    freezes=(),
    budget=Budget(calls=100, writes=10, seconds=600),
    approval_s=900,
)


@dataclass
class Bench:
    """A gateway, what it leans on, and the cluster behind it.

    Attributes:
        own: whether the fakes of this file are among its tools.
    """

    rules: Rules = RULES
    tools: tuple[Tool, ...] = ()
    severities: dict[str, Severity] = field(default_factory=dict)
    finish: Finish | None = None
    own: bool = True

    def __post_init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.cluster = Cluster()
        self.approvals = MemoryApprovals(InProcessEvents(self.clock))
        self.ledger, self.switch, self.audit = MemoryLedger(), MemorySwitch(), MemoryAudit()
        self.scale = Scale(self.cluster)
        self.get = Read(
            spec("kubernetes.get", schema(kind={"type": "string"})),
            lambda asked: ToolResult(canonical({"kind": asked["kind"]}), f"a {asked['kind']}"),
        )
        self.doors = Doors(
            approvals=self.approvals,
            ledger=self.ledger,
            switch=self.switch,
            audit=self.audit,
            clock=self.clock,
            ids=CountedIds(),
            finish=self.finish or Plain(),
            severity=self.severities.get,
        )
        self.gateway = self.restarted()
        self._numbers = count(1)

    def restarted(self, rules: Rules | None = None) -> Gateway:
        """Another gateway on the same stores, as in another process or after a restart."""
        self.gateway = Gateway(
            (*((self.scale, self.get) if self.own else ()), *self.tools),
            rules or self.rules,
            self.doors,
        )
        return self.gateway

    def made(
        self,
        tool: str = "kubernetes.scale",
        arguments: object = None,
        *,
        capability: Capability = "executor",
        run: str = "run-1",
        approval: str | None = None,
        key: str | None = None,
        **more: Any,
    ) -> ToolCall:
        """A call; to scale web to 4 where nothing else is said."""
        number = next(self._numbers)
        given = arguments if arguments is not None else scaled(4)
        text = given if isinstance(given, str) else canonical(given)
        return ToolCall(
            f"call-{number}",
            tool,
            text,
            Caller("investigator", capability, run, more.get("incident")),
            key or f"key-{number}",
            approval,
            more.get("reason", ""),
        )

    async def ask(self, *args: Any, **more: Any) -> Outcome:
        """The outcome of a call."""
        return await self.gateway.call(self.made(*args, **more))

    def approve(self, approval_id: str, by: str = "ann") -> None:
        """A person says yes."""
        asked = self.approvals.get(approval_id)
        yes = replace(asked, state="approved", decided_by=by, decided_at=self.clock.now())
        assert self.approvals.swap(asked, yes)

    async def approved(self, arguments: object = None, **more: Any) -> str:
        """An action that was asked for and approved: the approval's id."""
        waits = await self.ask(arguments=arguments, **more)
        assert waits.status == "waits", waits
        assert waits.approval is not None
        self.approve(waits.approval)
        return waits.approval

    def rows(self) -> list[tuple[str, str, str]]:
        """(tool, target, outcome) of the audit log."""
        return [(row.action, row.target, row.outcome) for _, row in self.audit.entries()]

    def ruled(self, **changes: Any) -> "Bench":
        """The same with other rules."""
        self.rules = replace(self.rules, **changes)
        self.restarted()
        return self


def scaled(replicas: int, name: str = "web", **more: Any) -> dict[str, Any]:
    """Arguments."""
    place = {"cluster": CLUSTER, "namespace": NAMESPACE, "name": name}
    return {**place, "replicas": replicas, **more}


def mode(of: Mode) -> Rules:
    """The rules in that mode."""
    return replace(RULES, mode=of)


def risky(tool: Scale, risk: Risk) -> Scale:
    """The same tool with another risk."""
    return replace(tool, spec=replace(tool.spec, risk=risk))
