"""Approvals as the gateway deals with them: asked for, matched, used once, made stale."""

from dataclasses import dataclass, replace
from datetime import timedelta

from aiops.errors import NotKept
from aiops.model.approval import Action, Approval, Mode
from aiops.model.tool import ToolCall
from aiops.ports.approvals import ApprovalStore
from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.toolbelt.refusals import Refused


@dataclass(frozen=True, slots=True)
class Approving:
    """All of it raises StoreUnavailable, and then nothing was approved."""

    store: ApprovalStore
    clock: Clock
    ids: Ids
    lasts_s: float

    def ask_for(self, call: ToolCall, action: Action, mode: Mode, reason: str) -> Approval:
        """The question whether ``action`` may be carried out; asked once, however often asked."""
        now = self.clock.now()
        return self.store.file(
            Approval(
                id=self.ids.new("apr"),
                action=action,
                action_hash=action.hash,
                state="pending",
                mode=mode,
                reason=reason,
                requested_by=call.caller.name,
                run=call.caller.run,
                incident=call.caller.incident,
                requested_at=now,
                expires_at=now + timedelta(seconds=self.lasts_s),
                needed_role="admin" if action.risk == "high" else "responder",
            )
        )

    def own(self, call: ToolCall, text: str) -> Approval:
        """The approval that ``call`` is made with, given or not, if it is about this call.

        Args:
            text: the call's arguments, canonical.

        Raises:
            Refused: "approval": there is none, or it is about something else.
        """
        try:
            found = self.store.get(str(call.approval))
        except NotKept as error:
            raise Refused("approval", f"there is no approval {call.approval!a}") from error
        if (found.action.tool, found.action.arguments) != (call.tool, text):
            raise Refused("approval", f"approval {found.id} is for another action")
        if found.run != call.caller.run:
            raise Refused("approval", f"approval {found.id} was asked for by another run")
        if found.mode != "approve":
            raise Refused("approval", f"approval {found.id} was only asked for to compare (shadow)")
        return found

    def must_be_given(self, approval: Approval) -> None:
        """Raises Refused, "approval" or "expired", unless it is approved and not yet used."""
        if approval.state != "approved" or approval.decided_by is None:
            raise Refused(
                "expired" if approval.state == "expired" else "approval",
                f"approval {approval.id} is {approval.state}, not approved",
                approval=approval.id,
            )
        if approval.decided_by == approval.requested_by:
            raise Refused("approval", f"approval {approval.id} was given by who asked for it")
        if approval.action_hash != approval.action.hash:
            raise Refused("approval", f"approval {approval.id} was changed after it was given")
        self._must_last(approval)

    def use(self, approval: Approval, action: Action) -> Approval:
        """``approval``, used: of many who use it at once, one succeeds.

        Raises:
            Refused: "approval": another was first; "expired"; "stale".
        """
        if action.hash != approval.action_hash:
            raise Refused("stale", f"approval {approval.id} is for another action")
        self._must_last(approval)
        used = replace(approval, state="used", used_at=self.clock.now())
        if not self.store.swap(approval, used):
            raise Refused("approval", f"approval {approval.id} was used or withdrawn meanwhile")
        return replace(used, revision=approval.revision + 1)

    def supersede(self, approval: Approval, call: ToolCall, action: Action) -> Approval:
        """The question about what ``action`` has become, in the place of ``approval``."""
        asked = self.ask_for(call, action, "approve", approval.reason)
        self.store.swap(approval, replace(approval, state="superseded", superseded_by=asked.id))
        return asked

    def note(self, used: Approval, outcome: str) -> None:
        """How carrying it out ended."""
        self.store.swap(used, replace(used, outcome=outcome))

    def _must_last(self, approval: Approval) -> None:
        if approval.expires_at <= self.clock.now():
            raise Refused(
                "expired",
                f"approval {approval.id} expired at {approval.expires_at.isoformat()}; ask again",
                approval=approval.id,
            )
