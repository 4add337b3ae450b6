"""Feeds a running service with a replayed incident: telemetry as OTLP, the alert to a webhook."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiops.ingest.otlp.bodies import JSON, PROTOBUF
from aiops.ingest.replay import Replay, alert, requests
from aiops.model import CaseData

STEP_S: Final = 1.0
"""Seconds between two pushes."""
Post = Callable[[str, bytes, str], None]
"""Posts (path, body, content type); raises SourceUnavailable where nobody takes it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was posted: requests of each signal, and when the alert went out, live time."""

    metrics: int = 0
    logs: int = 0
    traces: int = 0
    alert_at: datetime | None = None


def drive(
    case: CaseData,
    replay: Replay,
    post: Post,
    sleep: Callable[[float], None],
    *,
    webhook: str,
    step_s: float = STEP_S,
) -> Sent:
    """Replay ``case`` from the timeline's start to the end of its window; returns when done.

    Args:
        sleep: waits as many seconds of the replay's clock.
        webhook: name of the generic webhook that gets the alert.

    Raises:
        SourceUnavailable: the service does not take what is posted.
    """
    timeline, clock = replay.timeline, replay.clock
    end = timeline.live(case.window.end) + timedelta(seconds=1)
    fires = timeline.live(case.trigger.at or case.window.end)
    counts: Counter[str] = Counter()
    alert_at, done = None, timeline.start_at
    while done < end:
        sleep(max(0.0, step_s - (clock.now() - done).total_seconds()))
        until = min(clock.now(), end)
        for signal, body in requests(replay, done, until):
            post(f"/v1/{signal}", body, PROTOBUF)
            counts[signal] += 1
        if alert_at is None and until >= fires:
            alert_at = clock.now()
            post(f"/webhooks/{webhook}", alert(case.trigger, case.id, fires), JSON)
        done = until
    return Sent(**counts, alert_at=alert_at)
