"""Who proposes actions in a service: the rules, over the clusters that it may change."""

from aiops.agents.crew import Belt
from aiops.agents.proposing.proposer import Place, RuleProposer
from aiops.bootstrap.service import Service


def proposer_of(service: Service, belt: Belt | None, incident: str | None) -> RuleProposer | None:
    """Who says what would mend an incident.

    None where nothing can be changed, or nothing fires any more: what is over needs no action.
    """
    if incident is not None and not service.incidents.get(incident).firing:
        return None
    writes = frozenset(spec.name for spec in belt.specs if spec.effect == "write") if belt else ()
    places = [
        Place(name, str(options.get("cluster", "")))
        for name, options in sorted(service.settings.tools.items())
        if options.get("kind") == "kubernetes"
        and any(tool.startswith(f"{name}.") for tool in writes)
    ]
    return RuleProposer(places, frozenset(writes), service.memory) if places else None
