"""When a CronJob is due: cron expressions in a time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiops.errors import InvalidInput

_SECOND = timedelta(seconds=1)
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class InvalidSchedule(InvalidInput):
    """A schedule or time zone that means nothing.

    Args:
        field: "schedule" or "timeZone".
    """

    def __init__(self, field: str, value: str, why: str) -> None:
        self.field, self.value, self.why = field, value, why
        super().__init__(f"{field} {value!r}: {why}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression of five fields, or a word such as "@hourly"."""

    expression: str
    zone: ZoneInfo

    def latest(self, now: datetime) -> datetime:
        """The last time that it was due, ``now`` included."""
        return self._near(now.replace(microsecond=0) + _SECOND, forward=False)

    def following(self, now: datetime) -> datetime:
        """The next time that it will be due."""
        return self._near(now, forward=True)

    def _near(self, moment: datetime, *, forward: bool) -> datetime:
        from croniter import croniter  # type: ignore[import-untyped]  # it has no types

        times = croniter(self.expression, moment.astimezone(self.zone))
        found: datetime = times.get_next(datetime) if forward else times.get_prev(datetime)
        return found


def read_schedule(expression: str, zone: str | None) -> Schedule:
    """A schedule as a CronJob says it; without a time zone it is in UTC.

    Raises:
        InvalidSchedule: either cannot be read.
    """
    from croniter import CroniterError, croniter

    wanted = "must be five fields as in crontab(5), or a word such as @hourly"
    if not expression.startswith("@") and len(expression.split()) != 5:
        raise InvalidSchedule("schedule", expression, wanted)
    try:
        croniter(expression, _ANY_TIME).get_next()  # the 31st of February never comes
    except CroniterError as error:
        raise InvalidSchedule("schedule", expression, f"{wanted}: {error}") from error
    try:
        return Schedule(expression, ZoneInfo(zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        why = "must be the name of a time zone such as Europe/Berlin"
        raise InvalidSchedule("timeZone", str(zone), why) from error
