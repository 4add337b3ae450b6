"""What a rule would have made of past alerts: the very triage, on a ledger that nobody keeps."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.intake import Taken
from aiops.app.incidents.ledger import Ledger
from aiops.app.incidents.silences import Silencing, checked
from aiops.app.incidents.triage import Triage
from aiops.model.alert import Alert, AlertState, Delivery, Matcher, Silence
from aiops.model.incident import Incident


@dataclass(frozen=True, slots=True)
class Preview:
    """What would have been.

    Attributes:
        incidents: as they would be after the last delivery, oldest first; "preview-1", ...
        taken: what would have become of the alerts, deliveries of the same alert included.
        silenced: how many alerting series the silence would have kept quiet at least once.
    """

    incidents: tuple[Incident, ...]
    taken: Taken
    silenced: int


def preview(
    deliveries: Iterable[Delivery],
    rules: Grouping,
    neighbours: Neighbours,
    silence: Sequence[Matcher] = (),
) -> Preview:
    """Run past deliveries through a rule.

    Args:
        deliveries: in any order; each is taken in at the time it was received.
        silence: matchers of a silence, as if it had been in force all the time; (): none.

    Raises:
        InvalidInput: the silence cannot be meant (see ``silences.checked``).
    """
    past = sorted(deliveries, key=lambda each: each.received_at)
    silences = _throughout(past, silence) if silence and past else ()
    silencing, ledger, numbers = Silencing(silences), Ledger(), count(1)
    outcomes: Counter[str] = Counter()
    quiet = set()
    for delivery in past:
        now = delivery.received_at
        triage = Triage(
            ledger, rules, neighbours, silencing, lambda: f"preview-{next(numbers)}", now
        )
        for alert in delivery.alerts:
            outcome = triage.take(alert, now)
            outcomes[outcome] += 1
            if outcome == "silenced":
                quiet.add(alert.key)
        triage.sweep()
        triage.settle(lambda _: ())
    taken = Taken(deliveries=len(past), told=(), **outcomes)
    return Preview(ledger.incidents(), taken, len(quiet))


def deliveries_of(states: Iterable[AlertState]) -> tuple[Delivery, ...]:
    """The turns of alerts as deliveries, where the deliveries themselves are no longer kept.

    An approximation: labels and severity are those last delivered, and of an alert with more
    turns than are remembered only the newest count.
    """
    return tuple(
        Delivery(f"{state.alert.key}-{number}", state.alert.source, at, (alert,))
        for state in states
        for number, (at, alert) in enumerate(_history(state))
    )


def _history(state: AlertState) -> Iterator[tuple[datetime, Alert]]:
    """When its status changed, the first delivery included, and what it was from then on."""
    times = (state.first_at, *state.turns)
    for turns_after, at in zip(reversed(range(len(times))), times, strict=True):
        firing = state.firing == (turns_after % 2 == 0)
        if firing:
            yield at, replace(state.alert, status="firing", starts_at=at, ends_at=None)
        else:
            yield at, replace(state.alert, status="resolved", ends_at=at)


def _throughout(past: Sequence[Delivery], matchers: Sequence[Matcher]) -> tuple[Silence, ...]:
    after = past[-1].received_at + timedelta(seconds=1)
    tried = Silence("preview", checked(matchers), past[0].received_at, after, "preview", "preview")
    return (tried,)
