"""``aiops serve``: the service: webhooks, incidents, investigations, API and pages."""

import os
import secrets
import signal
import socket
import sys
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from aiops.cli.options import AT_ONCE, Concurrency
from aiops.errors import AiopsError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from fastapi import FastAPI

    from aiops.bootstrap.service import Service

PORT: Final = 8080
GRACE_S: Final = 3
"""How long requests may take to end after SIGTERM."""
_KEEP_ALIVE_S: Final = 75
_SWITCH_S: Final = 0.0005
"""After so long a busy thread lets others run: a page must not keep webhooks waiting."""


class CannotListen(AiopsError):
    """The address is taken or not ours."""


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command()(serve)


def serve(
    dev: Annotated[
        bool, typer.Option("--dev", help="To try it: this machine only, no tokens, no secrets.")
    ] = False,
    host: Annotated[str, typer.Option("--host", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")
    ] = PORT,
    worker: Annotated[
        bool,
        typer.Option("--worker/--no-worker", help="Whether this process investigates, too."),
    ] = True,
    concurrency: Concurrency = AT_ONCE,
) -> None:
    """Run the service until it is told to stop (SIGTERM, Ctrl-C)."""
    from aiops import settings
    from aiops.bootstrap.beside import Beside
    from aiops.bootstrap.durable import durable
    from aiops.bootstrap.loading import settle
    from aiops.bootstrap.tools import toolbelt_of
    from aiops.web.app import create
    from aiops.web.heartbeat import beating
    from aiops.web.security import is_loopback
    from aiops.web.telemetry import configure_logs

    if dev and not is_loopback(f"[{host}]" if ":" in host else host):
        raise InvalidInput(
            f"--dev asks for no tokens, so it listens on this machine only, not on {host}; leave "
            "--host away, or leave --dev away and make a token"
        )
    settings.must_be_known(os.environ)
    chosen = settings.load()
    configure_logs(terminal=sys.stderr.isatty())
    with ExitStack() as stack:
        listening = stack.enter_context(_listening(host, port))
        service = stack.enter_context(durable(chosen, application="aiops serve"))
        prepare = partial(configure_logs, terminal=sys.stderr.isatty())
        beside = Beside(
            chosen, service.clock, at_once=concurrency if worker else 0, prepare=prepare
        )
        app = create(
            service,
            rehearsal=stack.enter_context(toolbelt_of(service)),
            dev=dev,
            heartbeats=beside.overdue,
            traces=bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")),
        )
        stack.callback(beside.stop)
        beside.start()
        stack.enter_context(beating(app.state.site))
        settle()
        if not dev:
            _say_what_is_missing(service)
        name = f"[{host}]" if ":" in host else host
        typer.echo(f"aiops listens on http://{name}:{listening.getsockname()[1]}")
        sys.stdout.flush()
        _run(app, listening, beside.end)


@contextmanager
def _listening(host: str, port: int) -> "Iterator[socket.socket]":
    """A socket that listens; raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        # Python adds the address to the system's words; a name that is not found has a number < 0.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise CannotListen(
            f"cannot listen on {host}:{port}: {reason}; stop what listens there, or choose "
            "another --port (0: any that is free)"
        ) from error
    with made:
        yield made


def _run(app: "FastAPI", listening: socket.socket, ending: "Callable[[], None]") -> None:
    """Serve until a signal says stop; then no stream and no slow request holds up the end.

    Args:
        ending: called at that signal.
    """
    import uvicorn

    feed = app.state.site.feed

    class Server(uvicorn.Server):
        """Ends event streams first: they would never end by themselves."""

        def handle_exit(self, sig: int, frame: "FrameType | None") -> None:
            ending()
            feed.end()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        lifespan="on",  # who cannot start must not serve half
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
        backlog=2048,
    )
    sys.setswitchinterval(_SWITCH_S)
    # Once it has ended, uvicorn raises the signal again, which would cut off what we end then.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(KeyboardInterrupt):
        Server(config).run(sockets=[listening])


def _say_what_is_missing(service: "Service") -> None:
    """How to make what the first start lacks; it goes on with what there is."""
    now = service.clock.now()
    if not any(token.valid(now) for token in service.tokens.all()):
        typer.echo(
            "No token opens the API yet. Make one with: aiops token create NAME --role admin",
            err=True,
        )
    if not service.settings.webhooks:
        typer.echo(
            "No webhook is set up, so no alert can come in. Put this into aiops.toml and start "
            "again:\n"
            '  [webhooks.alertmanager]\n  kind = "alertmanager"\n'
            "and set its secret in the environment:\n"
            f"  AIOPS_WEBHOOKS__ALERTMANAGER__SECRET={secrets.token_urlsafe(32)}",
            err=True,
        )
