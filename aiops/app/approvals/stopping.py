"""The kill switch, at hand for every responder; only an admin lets writes pass again."""

from dataclasses import dataclass
from typing import Final

from aiops.app.approvals.deciding import Decider
from aiops.app.incidents.acts import words
from aiops.errors import NotAllowed, WrongState
from aiops.model.access import RANK, Role
from aiops.model.canonical import canonical
from aiops.model.investigation import AuditEntry
from aiops.model.tool import Stop
from aiops.ports.approvals import KillSwitch
from aiops.ports.clock import Clock
from aiops.ports.events import EventBus
from aiops.ports.repositories import AuditLog

ABOUT: Final = "writes"


@dataclass(frozen=True, slots=True)
class Brake:
    """Where the switch is engaged and released; each is audited and told on the bus."""

    switch: KillSwitch
    audit: AuditLog
    events: EventBus
    clock: Clock

    def stop(self, by: Decider, reason: str) -> Stop:
        """No write passes from now on; who stopped first, where somebody has already.

        Raises:
            NotAllowed: their role is below responder.
            InvalidInput: no reason.
        """
        self._must_be(by, "responder", "stop")
        stop = Stop(by.name, words(reason, "a reason to stop", 1000), self.clock.now())
        self.switch.engage(stop)
        self._note(by, "stop", "done", stop.reason)
        self.events.publish("writes.stopped", ABOUT)
        return self.switch.state() or stop

    def resume(self, by: Decider, reason: str = "") -> Stop:
        """Writes pass again; the stop that is over.

        Raises:
            NotAllowed: they are no admin.
            WrongState: nothing was stopped.
        """
        self._must_be(by, "admin", "resume")
        was = self.switch.state()
        if was is None:
            raise WrongState("the kill switch", "is not engaged; writes pass already")
        self.switch.release()
        self._note(by, "resume", "done", reason)
        self.events.publish("writes.resumed", ABOUT)
        return was

    def _must_be(self, by: Decider, role: Role, action: str) -> None:
        if RANK.index(by.role) < RANK.index(role):
            self._note(by, action, f"refused: {by.role}", "")
            raise NotAllowed(f"{by.name} is a {by.role}; to {action} writes needs the role {role}")

    def _note(self, by: Decider, action: str, outcome: str, reason: str) -> None:
        detail = canonical({"reason": reason, "role": by.role})
        now = self.clock.now()
        self.audit.append(
            AuditEntry(now, by.name, f"writes.{action}", ABOUT, outcome, None, detail)
        )
