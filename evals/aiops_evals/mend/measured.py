"""One break, followed from the fault until users are served again and the incident is resolved."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aiops.app.incident_reports import ACTED
from aiops_evals.mend.breaks import Break
from aiops_evals.mend.shop import Shop, up

CALM_S: Final = 35.0
"""Normal running before the fault, which it stands out against; longer than the lab's
``reopen_window_s``, so that the fault opens an incident of its own."""
DECOY_S: Final = 8.0
"""Between a change that only looks like the cause and the fault."""
PATIENCE_S: Final = 240.0
LOOK_S: Final = 0.4
"""Few enough requests for the limit of those that a service takes in a minute."""
AVERAGES: Final = timedelta(seconds=30)
"""By then no average tells of the time before any more."""
HELD_BACK: Final = timedelta(seconds=60)
"""After the first report, for runs that might propose something yet."""


@dataclass(frozen=True, slots=True)
class Course:
    """What happened, and when: moments in UTC, None where it did not.

    Attributes:
        failing: when users were last served badly.
        action: what was approved, in words; "" where nothing was proposed.
        ended: what came of it, in the gateway's words.
        says: the report's verification.
        notes: where nothing was proposed, what the report says of that.
    """

    broken: Break
    fault: datetime
    alert: datetime | None = None
    report: datetime | None = None
    proposed: datetime | None = None
    approved: datetime | None = None
    executed: datetime | None = None
    verified: datetime | None = None
    failing: datetime | None = None
    resolved: datetime | None = None
    cause: str = ""
    action: str = ""
    ended: str = ""
    says: str = ""
    notes: str = ""
    status: str = ""

    @property
    def served(self) -> datetime | None:
        """From when on users were served as promised; None where they always or never were."""
        return self.failing if self.resolved is not None else None

    @property
    def lasts(self) -> bool:
        """Whether users were not served badly again after the incident was resolved."""
        if self.resolved is None or self.failing is None:
            return True
        return self.failing <= self.resolved + AVERAGES

    @property
    def as_it_should(self) -> bool:
        """Mended and resolved; or taken back, or nothing proposed, and still open."""
        match self.broken.ends:
            case "mended":
                return self.ended.startswith("done") and self.resolved is not None and self.lasts
            case "taken back":
                return self.ended.startswith("rolled_back") and self.status != "resolved"
            case "left to people":
                return self.report is not None and not self.action and self.status != "resolved"


def followed(broken: Break, folder: Path, say: Callable[[str], None]) -> Course:
    """Break a fresh lab in ``folder`` and see what happens; raises LabFailed."""
    with up(folder) as shop:
        say(f"{broken.name}: the lab is up")
        _calm(shop)
        for step in broken.steps[:-1]:
            shop.do(step)
            time.sleep(DECOY_S)
        shop.do(broken.steps[-1])
        return _Following(shop, broken, say).to_its_end()


def _calm(shop: Shop) -> None:
    """Normal running; an alert of the start is waited out, or the fault's would join it."""
    end = time.monotonic() + PATIENCE_S
    quiet = time.monotonic()
    while time.monotonic() < min(end, quiet + CALM_S):
        time.sleep(1.0)
        if any(one["status"] != "resolved" for one in shop.ask("incidents")["incidents"]):
            quiet = time.monotonic()


@dataclass
class _Following:
    shop: Shop
    broken: Break
    say: Callable[[str], None]
    course: Course = field(init=False)

    def __post_init__(self) -> None:
        self.course = Course(self.broken, datetime.now(UTC))

    def to_its_end(self) -> Course:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and not self._over():
            time.sleep(LOOK_S)
            self._look()
        return self.course

    def _over(self) -> bool:
        course = self.course
        match course.broken.ends:
            case "mended":
                undone = bool(course.ended) and not course.ended.startswith("done")
                return bool(course.says) and (course.resolved is not None or undone)
            case "taken back":
                return course.ended.startswith("rolled_back") and bool(course.says)
            case "left to people":
                waited = None if course.report is None else datetime.now(UTC) - course.report
                return bool(course.action) or (waited is not None and waited > HELD_BACK)

    def _look(self) -> None:
        if not self.shop.served_well():
            self._now(failing=datetime.now(UTC))
        incidents = [
            one
            for one in self.shop.ask("incidents")["incidents"]
            if datetime.fromisoformat(one["opened_at"]) >= self.course.fault
        ]
        if not incidents:
            return
        # A passing symptom may open one of its own: it is the one with an action that is followed.
        asked = self.shop.ask("approvals")["approvals"]
        of_them = {one["incident"] for one in asked}
        with_action = (one for one in reversed(incidents) if one["id"] in of_them)
        incident = next(with_action, incidents[-1])
        self._now(
            alert=_moment(incident["opened_at"]),
            resolved=_moment(incident["resolved_at"]),
            status=incident["status"],
        )
        self._investigated(incident)
        self._approvals([one for one in asked if one["incident"] == incident["id"]])

    def _investigated(self, incident: dict[str, Any]) -> None:
        waits_for_notes = self.broken.ends == "left to people" and not self.course.notes
        if incident["report"] is None or (self.course.report is not None and not waits_for_notes):
            return
        report = self.shop.ask(f"incidents/{incident['id']}/report")
        if self.course.report is None:
            self._now(report=datetime.now(UTC))
            first = next(iter(report["root_causes"]), None)
            if first is not None:
                self._now(cause=f"{first['entity']['name']}: {first['fault_type']}")
            self.say(f"{self.broken.name}: report: {report['summary'][:160]}")
        self._now(notes=" ".join(one for one in report["notes"] if "safe action" in one))

    def _approvals(self, asked: list[dict[str, Any]]) -> None:
        if not asked:
            return
        best = asked[-1]
        if best["state"] == "pending":
            self.say(f"{self.broken.name}: approve {best['summary']}")
            self.shop.approve(best)
        self._now(
            proposed=_moment(best["requested_at"]),
            approved=_moment(best["decided_at"]),
            executed=_moment(best["used_at"]),
            action=f"{best['tool']}: {best['summary']}",
        )
        if best["outcome"] and not self.course.ended:
            self._now(verified=datetime.now(UTC), ended=best["outcome"])
            self.say(f"{self.broken.name}: {best['outcome'][:160]}")
        # The incident may have a newer report by now: what became of it stands in its own run's.
        wanted = self.course.ended and not self.course.says
        told = self.shop.kept(f"reports/{best['run']}{ACTED}") if wanted else None
        if told is not None and told["verification"] is not None:
            self._now(says=told["verification"]["outcome"])

    def _now(self, **seen: Any) -> None:
        self.course = replace(self.course, **seen)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
