"""Times in which nothing is changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from aiops.model.alert import Severity
from aiops.toolbelt.refusals import Refused


@dataclass(frozen=True, slots=True)
class Freeze:
    """Once, from a time to another, or again and again, from times of a cron expression on.

    Attributes:
        since, until: with time zones; of a freeze that is once.
        cron: five fields, when it begins, in ``zone``.
        lasts: how long each lasts.
        spares: severities of incidents that may be worked on nevertheless.
    """

    name: str
    since: datetime | None = None
    until: datetime | None = None
    cron: str | None = None
    lasts: timedelta | None = None
    zone: str = "UTC"
    spares: tuple[Severity, ...] = ()

    def until_when(self, now: datetime) -> datetime | None:
        """The end of the freeze that holds at ``now``; None where none does."""
        if self.since is not None and self.until is not None:
            return self.until if self.since <= now < self.until else None
        if self.cron is None or self.lasts is None:
            return None
        from croniter import croniter  # type: ignore[import-untyped]  # it has no types

        # From a moment later, since a freeze that begins now holds, too.
        local = (now + timedelta(microseconds=1)).astimezone(ZoneInfo(self.zone))
        began: datetime = croniter(self.cron, local).get_prev(datetime)
        return began + self.lasts if now < began + self.lasts else None


def must_not_be_frozen(freezes: Iterable[Freeze], now: datetime, severity: Severity | None) -> None:
    """Raises Refused, "freeze", for the first freeze that holds and does not spare ``severity``."""
    for freeze in freezes:
        until = freeze.until_when(now)
        if until is not None and severity not in freeze.spares:
            spared = f"; only {', '.join(freeze.spares)} may be worked on" if freeze.spares else ""
            raise Refused(
                "freeze",
                f'nothing is changed during "{freeze.name}", until {until.isoformat()}{spared}',
            )
