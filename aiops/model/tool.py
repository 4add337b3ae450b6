"""Tools: what can be asked of the world and done to it, by whom, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Effect = Literal["read", "write"]
Capability = Literal["observer", "probe", "executor"]
"""Each may what the one before may: read what we keep; read clusters and clouds; change them."""

CAPABILITIES: tuple[Capability, ...] = ("observer", "probe", "executor")
Risk = Literal["none", "low", "medium", "high"]
RISKS: tuple[Risk, ...] = ("none", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a tool is, for those who choose, guard and call it.

    Attributes:
        name: toolset and verb, "kubernetes.scale"; unique.
        description: one or two sentences for whoever chooses; no instructions.
        arguments: JSON schema (2020-12) of an object, canonical JSON; nothing beyond its
            properties is accepted. Semantic types are formats: "cluster", "namespace", "pod".
        result: JSON schema of ``ToolResult.content``, canonical JSON.
        capability: the least that may call it.
        idempotent: whether a second call with the same arguments changes nothing more.
        reversible: whether what it does can be undone; said before it is approved.
        timeout_s: wall time of one call.
        lasting: whether it gives a handle at once, whose progress is asked for.
        examples: questions that it answers, in people's words.
    """

    name: str
    description: str
    arguments: str
    result: str
    effect: Effect
    capability: Capability
    risk: Risk = "none"
    idempotent: bool = True
    reversible: bool = True
    timeout_s: float = 30.0
    lasting: bool = False
    examples: tuple[str, ...] = ()

    @property
    def toolset(self) -> str:
        """The part of its name before the first dot."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One object that a call reads or changes; its cluster, or account, is never left out.

    Attributes:
        kind: as its API calls it, singular: "Deployment", "AutoScalingGroup".
    """

    cluster: str
    kind: str
    name: str
    namespace: str | None = None

    def __str__(self) -> str:
        place = f"{self.cluster}/{self.namespace}" if self.namespace else self.cluster
        return f"{place}/{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """How much a write touches.

    Attributes:
        objects: that change.
        interrupted: replicas that stop serving, for however short.
        serving: replicas that serve now, of the same workloads.
    """

    objects: int
    interrupted: int = 0
    serving: int = 0

    @property
    def share(self) -> float:
        """Of the replicas that serve now, those that stop; 0 where none does."""
        return self.interrupted / self.serving if self.serving else float(self.interrupted > 0)


@dataclass(frozen=True, slots=True)
class Undo:
    """The call that brings back what was before: tool and canonical arguments."""

    tool: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Part:
    """One step of a plan, as it was looked at; see Preview."""

    targets: tuple[Target, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a write would do, by a dry run that changed nothing.

    Attributes:
        diff: unified, of what would change; never a secret's value.
        state: sha256 of the targets' state as it was read; another state is another action.
        undo: how it is taken back; None where it cannot be.
        warnings: what whoever approves has to know, a sentence each.
        parts: of a plan, its steps in order: what each is told by afterwards.
    """

    summary: str
    targets: tuple[Target, ...]
    diff: str
    state: str
    radius: BlastRadius
    undo: Undo | None = None
    warnings: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """Something a read could not get; the rest of the result stands without it."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool answers.

    Attributes:
        content: canonical JSON by the tool's result schema.
        summary: the same for a reader: short, in words and tables.
        unread: what is missing from it, and why.
        refs: ids of evidence or blobs that hold more.
    """

    content: str
    summary: str
    unread: tuple[Unread, ...] = ()
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a write reached what it was for, as read afterwards."""

    reached: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a run's specialist, a person through a client; never chosen by a model.

    Attributes:
        name: in the audit log.
        run: the investigation, thread or session it belongs to; budgets are counted by it.
        incident: what it is done for.
    """

    name: str
    capability: Capability
    run: str
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call, before anything is decided about it.

    Attributes:
        id: its own.
        arguments: canonical JSON of an object; not yet validated.
        key: what the caller repeats to mean the same call again; a write happens once for a key.
        approval: id of the approval it is made with.
        reason: why it is made, with evidence ids, for whoever approves it; text, never a decision.
    """

    id: str
    tool: str
    arguments: str
    caller: Caller
    key: str
    approval: str | None = None
    reason: str = ""


OutcomeStatus = Literal[
    "done",  # read or carried out
    "started",  # lasting: a handle is there
    "denied",  # never will be, with this policy
    "waits",  # for the approval named
    "shadowed",  # shadow mode: noted what it would have done
    "failed",  # the tool could not; nothing changed, or what changed is said
    "rolled_back",  # carried out, not verified, taken back
    "unknown",  # cut off while it was carried out; the object has to be looked at
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call; data, never an instruction.

    Attributes:
        summary: for a reader, redacted; the tool's words where it was done, else the reason.
        content: redacted canonical JSON by the result schema; None where the tool gave none.
        reason: a stable name for why it was not done: "schema", "capability", "policy",
            "protected", "radius", "freeze", "budget", "stopped", "stale", "timeout", ...
        blob: digest of the whole redacted result, where ``content`` was cut.
        approval: the approval it waits for, or was made with.
        handle: of a lasting call.
        suspicious: whether its text reads like instructions.
    """

    call: str
    status: OutcomeStatus
    summary: str
    content: str | None = None
    reason: str | None = None
    unread: tuple[Unread, ...] = ()
    refs: tuple[str, ...] = ()
    blob: str | None = None
    approval: str | None = None
    handle: str | None = None
    verified: Verified | None = None
    suspicious: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run's calls have cost so far."""

    calls: int = 0
    writes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Stop:
    """The kill switch, engaged: no write is carried out until somebody releases it."""

    by: str
    reason: str
    at: datetime
