"""Where questions to a service are answered, for every edge that people ask at."""

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final

from aiops.app.chat.desk import Desk
from aiops.app.chat.model_words import Words
from aiops.app.chat.scene import Ask, Scene, Stopped
from aiops.bootstrap.models import ladders_of, limits_of
from aiops.bootstrap.service import Service
from aiops.bootstrap.tools import toolbelt_of, toolset_names
from aiops.model.chat import Usage
from aiops.model.tool import Outcome, ToolCall
from aiops.ports.chat_model import OnToken
from aiops.toolbelt.finishing import hidden
from aiops.toolbelt.gateway import Gateway

KEY_BYTES: Final = 32
LOOK_S: Final = 0.3
"""How often it is looked whether a slow tool is still waited for."""


def chat_of(service: Service, on_token: OnToken | None = None) -> Desk:
    """The desk of ``service``, with its tools behind their gateway.

    Args:
        on_token: takes what its language models phrase while they say it.

    Raises:
        InvalidInput: a setting of its language models that cannot be used.
    """
    return Desk(
        scene=Scene(
            incidents=service.incidents,
            investigations=service.investigations,
            approvals=service.approvals,
            memory=service.memory,
            switch=service.switch,
            graph=service.telemetry,
            changes=service.telemetry,
            clock=service.clock,
            tools=partial(_tools, service),
        ),
        threads=service.threads,
        events=service.events,
        ids=service.ids,
        words=_words(service, on_token),
        hide=lambda text: hidden(text, secrets.token_bytes(KEY_BYTES)),
    )


def _words(service: Service, on_token: OnToken | None) -> Words | None:
    """The language models of the settings; None where there are none."""
    ladders = ladders_of(service.settings.model)
    if ladders is None:
        return None
    return Words(lambda: ladders(Usage()), limits_of(service.settings.model), on_token)


@contextmanager
def _tools(service: Service, names: Sequence[str]) -> Iterator[Ask]:
    """Connected for the length of an answer; raises InvalidInput for a wrong setting."""
    configured = {*toolset_names(service.settings), *service.settings.mcp}
    only = tuple(name for name in names if name in configured)
    with toolbelt_of(service, only=only) as gateway:
        yield partial(_called, gateway)


def _called(gateway: Gateway, call: ToolCall, stopped: Stopped) -> Outcome:
    return asyncio.run(_unless(stopped, gateway, call))


async def _unless(stopped: Stopped, gateway: Gateway, call: ToolCall) -> Outcome:
    """The outcome of a call, which is given up once nobody waits for it."""
    asked = asyncio.create_task(gateway.call(call))
    while not (await asyncio.wait((asked,), timeout=LOOK_S))[0]:
        if await asyncio.to_thread(stopped):
            asked.cancel()
            with suppress(asyncio.CancelledError):
                return await asked
            return Outcome(call.id, "failed", "stopped while it was asked", reason="stopped")
    return await asked
