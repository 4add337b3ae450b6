"""Takes waiting deliveries into incidents, in one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiops.app.incidents.flapping import quiet_since
from aiops.app.incidents.grouping import Grouping, Neighbours, group_of
from aiops.app.incidents.ledger import Ledger
from aiops.app.incidents.silences import Silencing
from aiops.app.incidents.triage import Triage
from aiops.model.alert import Alert, AlertKey, AlertState, Delivery, Silence
from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.ports.incidents import IncidentRepo, IncidentWork


@dataclass(frozen=True, slots=True)
class Taken:
    """What one round took in: deliveries, and their alerts by what became of them.

    Attributes:
        repeated: said again what was known.
        late: told of something that was over already.
        unknown: ended without ever having been seen to fire.
        silenced: kept quiet.
        opened, joined, reopened: began to fire, and what that did.
        resolved: ended.
        told: kind of event and id of its incident.
    """

    deliveries: int = 0
    repeated: int = 0
    late: int = 0
    unknown: int = 0
    silenced: int = 0
    opened: int = 0
    joined: int = 0
    reopened: int = 0
    resolved: int = 0
    told: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def alerts(self) -> int:
        """How many alerts there were."""
        began = self.opened + self.joined + self.reopened
        return began + self.resolved + self.repeated + self.late + self.unknown + self.silenced


def take_in(
    repo: IncidentRepo,
    neighbours: Neighbours,
    rules: Grouping,
    clock: Clock,
    ids: Ids,
    *,
    limit: int = 500,
) -> Taken:
    """Take in at most ``limit`` waiting deliveries, and what silences or flapping held back.

    Call it also where nothing waits: silences end and flapping calms without a delivery.

    Args:
        neighbours: of the services, ``rules.join_hops`` apart; good for as long as the graph.

    Raises:
        StoreUnavailable: nothing was taken in; the deliveries wait for the next round.
    """
    outcomes: Counter[str] = Counter()  # triage.Outcome: the fields of Taken
    with repo.work() as work:
        now = clock.now()
        deliveries = work.take(limit)
        silences = work.silences(now)
        ledger = _loaded(work, deliveries, silences, rules, neighbours, now, limit)
        triage = Triage(ledger, rules, neighbours, Silencing(silences), lambda: ids.new("inc"), now)
        for delivery in deliveries:
            for alert in delivery.alerts:
                outcomes[triage.take(alert, delivery.received_at)] += 1
        triage.sweep()
        triage.settle(work.states_of)
        ledger.write(work)
    return Taken(deliveries=len(deliveries), told=ledger.told, **outcomes)


def _loaded(
    work: IncidentWork,
    deliveries: Sequence[Delivery],
    silences: Sequence[Silence],
    rules: Grouping,
    neighbours: Neighbours,
    now: datetime,
    limit: int,
) -> Ledger:
    """Everything the round may ask for, in a handful of reads however many alerts there are."""
    ended = work.unsilenced([each.id for each in silences], limit)
    alerts = [alert for delivery in deliveries for alert in delivery.alerts]
    states = {
        **{state.alert.key: state for state in ended},
        **work.states({alert.key for alert in alerts}),
    }
    turning = _turning(alerts, states, ended)
    services = {
        near
        for alert in turning
        if alert.entity is not None
        for near in neighbours.of(alert.entity.service_name)
    }
    earliest = min((now, *(delivery.received_at for delivery in deliveries)))
    nearby = work.nearby(services, earliest - timedelta(seconds=rules.join_window_s))
    own = work.incidents({state.incident for state in states.values() if state.incident})
    calm = work.flapping(quiet_since(now, rules), limit)
    ledger = Ledger()
    ledger.load(
        states.values(),
        (*own.values(), *nearby, *calm),
        work.latest_of({group_of(alert, rules.group_by) for alert in turning}),
    )
    return ledger


def _turning(
    alerts: Sequence[Alert], states: Mapping[AlertKey, AlertState], ended: Sequence[AlertState]
) -> list[Alert]:
    """Those that may need an incident: all but repetitions of what is heard already."""
    resolving = {alert.key for alert in alerts if alert.status == "resolved"}
    heard = {key for key, state in states.items() if state.firing and state.silence is None}
    settled = heard - resolving
    begin = [alert for alert in alerts if alert.status == "firing" and alert.key not in settled]
    return begin + [state.alert for state in ended]
