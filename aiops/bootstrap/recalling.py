"""Past incidents as a run recalls them: with what people have said of their causes since."""

from aiops.agents.memory.recalling import Recall, Recalling
from aiops.bootstrap.service import Service
from aiops.errors import NotKept
from aiops.model.memory import HumanVerdict


def recall_of(service: Service, incident: str | None) -> Recall | None:
    """What comes to mind in a run about ``incident``; None where it is about none."""
    if incident is None:
        return None

    def verdict(past: str) -> HumanVerdict:
        try:
            said = service.incidents.get(past).verdict
        except NotKept:
            return "unreviewed"
        if said is None:
            return "unreviewed"
        return "confirmed" if said.right else "refuted"

    return Recalling(service.memory, incident, verdict)
