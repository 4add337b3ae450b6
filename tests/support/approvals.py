"""Approvals to decide about, and a rehearsal whose answer a test chooses."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from aiops.errors import ToolFailed
from aiops.model.approval import Action, Approval
from aiops.model.tool import BlastRadius, Caller, Preview, Risk, Target, Undo

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def action(replicas: int = 5, *, was: int = 3, risk: Risk = "medium") -> Action:
    """Scale one workload; another ``was`` is another state of the object."""
    return Action(
        "kubernetes.scale",
        f'{{"cluster":"prod","name":"web","namespace":"shop","replicas":{replicas}}}',
        risk,
        Preview(
            summary=f"Scale Deployment shop/web from {was} to {replicas}",
            targets=(Target("prod", "Deployment", "web", "shop"),),
            diff=(
                "--- prod/shop/Deployment/web\n+++ prod/shop/Deployment/web\n@@ -1,4 +1,4 @@\n"
                f" kind: Deployment\n spec:\n-  replicas: {was}\n+  replicas: {replicas}\n"
            ),
            state=f"{was:064x}",
            radius=BlastRadius(1, 0, was),
            undo=Undo("kubernetes.scale", f'{{"replicas":{was}}}'),
            warnings=("An autoscaler may change this again.",),
        ),
    )


def approval(name: str = "apr-1", what: Action | None = None, **changes: object) -> Approval:
    """A pending one, asked for at noon by an agent."""
    asked = what or action()
    made = Approval(
        id=name,
        action=asked,
        action_hash=asked.hash,
        state="pending",
        mode="approve",
        reason="its queue grows [E1]",
        requested_by="investigator",
        run="run-1",
        incident="inc-1",
        requested_at=NOON,
        expires_at=NOON + timedelta(minutes=15),
        needed_role="admin" if asked.risk == "high" else "responder",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Rehearsed:
    """A Rehearsal: what a write would do is what the test says."""

    answer: Callable[[str], Action] | ToolFailed
    asked: list[tuple[str, str, Caller]] = field(default_factory=list)

    async def rehearse(self, tool: str, arguments: str, caller: Caller) -> Action:
        """See Rehearsal."""
        self.asked.append((tool, arguments, caller))
        if isinstance(self.answer, ToolFailed):
            raise self.answer
        return self.answer(arguments)
