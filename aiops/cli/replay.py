"""``aiops replay``: a recorded incident sent to a running service."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from aiops.cli import options

if TYPE_CHECKING:
    import httpx

ATTEMPTS: Final = 5
"""How often one request is sent while the service says that it is busy."""
BUSY: Final = (429, 503)


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(replay)


def replay(
    case: options.Case,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="The service to send it to.")],
    speed: Annotated[
        float, typer.Option("--speed", metavar="N", help="Recorded seconds in a second.")
    ] = 1.0,
    webhook: Annotated[
        str, typer.Option("--webhook", metavar="NAME", help="Generic webhook for the alert.")
    ] = "generic",
    secret: Annotated[
        str, typer.Option("--secret", envvar="AIOPS_REPLAY_SECRET", help="Its bearer token.")
    ] = "",
    token: Annotated[
        str, typer.Option("--token", envvar="AIOPS_REPLAY_TOKEN", help="For OTLP, where asked.")
    ] = "",
    data: options.Data = None,
    inject_time: options.InjectTime = None,
    trigger: options.AlertOn = None,
) -> None:
    """Send a recorded incident to a running service: telemetry by OTLP, the alert by webhook."""
    import time

    import httpx

    from aiops import settings
    from aiops.app import cases
    from aiops.errors import InvalidInput
    from aiops.ingest.replay import Replay, Timeline
    from aiops.ingest.replay_driver import drive
    from aiops.ports.cases import CaseHints
    from aiops.store.clock import SystemClock
    from aiops.store.recorded import RecordedTelemetry

    if not to.startswith(("http://", "https://")):
        raise InvalidInput(f"--to {to!r}: give an address such as http://127.0.0.1:8080")
    hints = CaseHints(inject_time, None, trigger)
    recorded = cases.load(case, settings.load(datasets=data).datasets, hints)
    clock = SystemClock()
    timeline = Timeline(recorded.window.start, clock.now(), speed)
    source = Replay(RecordedTelemetry(recorded, recorded.window.changes), timeline, clock)
    with httpx.Client(base_url=to.rstrip("/"), timeout=30) as client:

        def post(path: str, body: bytes, content_type: str) -> None:
            _post(client, path, body, content_type, token if path.startswith("/v1/") else secret)

        minutes = (timeline.live(recorded.window.end) - timeline.start_at).total_seconds() / 60
        typer.echo(f"Replaying {recorded.id} to {to}: {minutes:.1f} min", err=True)
        sent = drive(recorded, source, post, time.sleep, webhook=webhook)
    typer.echo(
        f"Sent {sent.metrics} requests of metrics, {sent.logs} of logs, {sent.traces} of traces; "
        + (f"alert at {sent.alert_at:%H:%M:%S} UTC" if sent.alert_at else "no alert")
    )


def _post(client: "httpx.Client", path: str, body: bytes, content_type: str, token: str) -> None:
    """Send one request; raises SourceUnavailable where it is not taken."""
    import gzip
    import time

    import httpx

    from aiops.errors import SourceUnavailable

    headers = {"Content-Type": content_type}
    if path.startswith("/v1/"):
        body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
    if token:
        headers["Authorization"] = f"Bearer {token}"
    where = f"{str(client.base_url).rstrip('/')}{path}"
    for attempt in range(ATTEMPTS):
        try:
            answer = client.post(path, content=body, headers=headers)
        except httpx.HTTPError as error:
            reason = f"not reachable ({type(error).__name__}); is the service running there?"
            raise SourceUnavailable(where, reason) from error
        if answer.is_success:
            return
        if answer.status_code in BUSY and attempt < ATTEMPTS - 1:
            time.sleep(2.0**attempt / 2)
            continue
        hint = {401: "; give --token or --secret", 403: "; give --token or --secret"}
        said = " ".join(answer.text.split())[:200]
        raise SourceUnavailable(
            where, f"answers {answer.status_code}{hint.get(answer.status_code, '')}: {said}"
        )
