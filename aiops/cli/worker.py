"""``aiops worker``: one more process that does investigations."""

import os
import signal
import sys
from typing import TYPE_CHECKING, Final

import typer

from aiops.cli.options import AT_ONCE, Concurrency

if TYPE_CHECKING:
    from types import FrameType

PATIENCE_S: Final = 3.5
"""How long jobs may go on after SIGTERM; with the rest, the process ends within 5 s."""
LOOK_S: Final = 1.0
"""How often it is looked whether all of them go on."""
GIVES_WAY: Final = 10
"""Niceness: on a machine that is busy, webhooks are answered before incidents are investigated."""


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(worker)


def worker(
    concurrency: Concurrency = AT_ONCE,
) -> None:
    """Do investigations beside 'aiops serve', on its database, until told to stop (SIGTERM)."""
    from threading import Event

    import structlog

    from aiops import settings
    from aiops.bootstrap.durable import durable
    from aiops.bootstrap.working import Working
    from aiops.web.telemetry import configure_logs

    settings.must_be_known(os.environ)
    chosen, stop = settings.load(), Event()

    def told(number: int, frame: "FrameType | None") -> None:
        del number, frame
        stop.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, told)
    os.nice(GIVES_WAY)
    configure_logs(terminal=sys.stderr.isatty())
    log = structlog.get_logger("aiops.worker")
    with durable(chosen, application="aiops worker") as service:
        working = Working(service, at_once=concurrency)
        working.start()
        log.info("worker ready", concurrency=concurrency)
        while (stands := working.stands()) and not stop.wait(LOOK_S):
            pass
        working.stop(PATIENCE_S)
        log.info("worker stopped")
    _leave(0 if stands else 1)


def _leave(code: int) -> None:
    """End now: a read that hangs in some thread would otherwise be waited for."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
