"""The agents of a service: runs kept in its database, configured tools behind the gateway."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from aiops import plugins
from aiops.agents.crew import Belt, words_told
from aiops.agents.inline import InlineRuns
from aiops.agents.memory.remembering import Remembering
from aiops.agents.policies.policy import Policy
from aiops.agents.trajectory.steps import Record
from aiops.app.progress import Keeping
from aiops.app.rendering.as_json import dumps
from aiops.app.watching import to_each
from aiops.bootstrap.loading import TRANSPORTS
from aiops.bootstrap.policies import budget_of, policy_of
from aiops.bootstrap.proposing import proposer_of
from aiops.bootstrap.recalling import recall_of
from aiops.bootstrap.service import Service
from aiops.bootstrap.trajectories import kept_recording
from aiops.llm.tape import Tape
from aiops.model.report import Report
from aiops.model.tool import Outcome, ToolCall
from aiops.ports.inquiry import Inquiry, Watch
from aiops.store.shelf import BlobShelf

if TYPE_CHECKING:  # LangGraph takes half a second, which only a run has
    from aiops.agents.graph import KeptRuns
    from aiops.ports.tools import ToolClient
    from aiops.toolbelt.results import Results

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServiceRuns:
    """A Runner on what the service is made of; opens its connections for the length of a run.

    Attributes:
        watch: is told of each moment; those about an incident are kept, too, and told on the bus.
        record: takes down what decides the run.
        tape: takes down what models answer.

    Raises:
        UnknownName, InvalidInput: the policy of the settings cannot be used.
    """

    service: Service
    watch: Watch = field(default=lambda _: None)
    record: Record | None = None
    tape: Tape | None = None

    def __post_init__(self) -> None:
        policy_of(self.service.settings)  # what cannot be used is said before any run

    def __call__(self, run: str, inquiry: Inquiry, incident: str | None = None) -> Report:
        """See Runner. Where nothing is kept (a service in memory) runs end with the process."""
        with self._kept(incident) as kept, kept._written_down(run) as (told, ended):
            report = told._report(run, inquiry, incident)
            ended(report)
            return report

    def _report(self, run: str, inquiry: Inquiry, incident: str | None) -> Report:
        if self.service.checkpoints is None:
            inline = InlineRuns(
                self.service.clock,
                self._policy(run, incident),
                budget_of(self.service.settings),
                self.watch,
                record=self.record,
                recall=recall_of(self.service, incident),
            )
            return inline(run, inquiry, incident)
        with self.opened(run, incident) as runs:
            return runs(run, inquiry, incident)

    def go_on(self, run: str, inquiry: Inquiry, incident: str | None = None) -> Report | None:
        """See Runner."""
        if self.service.checkpoints is None:
            return InlineRuns(self.service.clock).go_on(run, inquiry, incident)
        with (
            self._kept(incident) as kept,
            kept._written_down(run) as (told, ended),
            told.opened(run, incident) as runs,
        ):
            report = runs.go_on(run, inquiry, incident)
            if report is not None:
                ended(report)
            return report

    def forget(self, run: str) -> None:
        """See Runner."""
        if self.service.checkpoints is not None:
            with self.opened(run, None, tools=False) as runs:
                runs.forget(run)

    @contextmanager
    def opened(self, run: str, incident: str | None, *, tools: bool = True) -> "Iterator[KeptRuns]":
        """The graph on the service's checkpoints for ``run``, with its configured toolsets.

        Raises:
            StoreUnavailable: the database does not answer.
            InvalidInput: a toolset cannot be used, by its key.
        """
        from aiops.agents.graph import KeptRuns

        if self.service.checkpoints is None:
            raise RuntimeError("a service in memory keeps no runs")
        with ExitStack() as stack:
            belt = stack.enter_context(belt_of(self.service)) if tools else None
            yield KeptRuns(
                saver=stack.enter_context(self.service.checkpoints()),
                shelf=BlobShelf(self.service.blobs),
                clock=self.service.clock,
                policy=self._policy(run, incident),
                budget=budget_of(self.service.settings),
                belt=belt,
                proposer=proposer_of(self.service, belt, incident),
                recall=recall_of(self.service, incident),
                remember=(
                    Remembering(self.service.memory, self.service.clock, incident)
                    if incident is not None
                    else None
                ),
                watch=self.watch,
                record=self.record,
            )

    @contextmanager
    def _written_down(self, run: str) -> "Iterator[tuple[ServiceRuns, Callable[[Report], None]]]":
        """These runs with their trajectory kept, where the settings say so and nobody else does."""
        with ExitStack() as stack:
            taken = None
            if self.record is None:
                taken = stack.enter_context(kept_recording(run, self.service.settings))
            if taken is None:
                yield self, lambda _: None
                return
            watch = to_each(self.watch, taken.moment)
            told = replace(self, watch=watch, record=taken.record, tape=taken)
            yield told, lambda report: taken.ended(dumps(report))

    def _policy(self, run: str, incident: str | None) -> Policy:
        """Of one run; its models are read along with where what they say is kept."""
        heard = words_told(run, self.service.clock, self.watch) if incident is not None else None
        return policy_of(self.service.settings, record=self.tape, on_token=heard)

    @contextmanager
    def _kept(self, incident: str | None) -> "Iterator[ServiceRuns]":
        """These runs with what they do kept, where it is about an incident."""
        if incident is None:
            yield self
            return
        keeping = Keeping(self.service.progress, incident, _hidden)
        try:
            yield replace(self, watch=to_each(keeping.take, self.watch))
        finally:
            keeping.end()


def _hidden(text: str) -> str:
    from aiops.toolbelt.finishing import hidden

    return hidden(text, secrets.token_bytes())


@contextmanager
def belt_of(service: Service) -> Iterator[Belt | None]:
    """The toolsets that somebody configured, asked from any thread; None where there are none.

    What needs no configuration reads what the window holds already, so nobody is asked for it.
    Agents are MCP clients of every toolset; the gateway is inside the servers.
    """
    from aiops.bootstrap.tools import toolbelt_of
    from aiops.toolbelt.results import Results

    configured = (*sorted(service.settings.tools), *sorted(service.settings.mcp))
    if not configured:
        yield None
        return
    with toolbelt_of(service, only=configured) as gateway, _loop() as loop:
        client: ToolClient = _done(plugins.load(TRANSPORTS, "in_process")(gateway, service), loop)

        results = Results(service.blobs)

        def ask(call: ToolCall) -> Outcome:
            return _whole(_done(client.call(call), loop), call.caller.run, results)

        try:
            yield Belt(ask, tuple(_done(client.specs(), loop)), service.approvals)
        finally:
            _done(client.close(), loop)


def _whole(outcome: Outcome, run: str, results: "Results") -> Outcome:
    """The outcome with all of its content: analyzers read what a context has no room for."""
    if outcome.blob is None or outcome.content is not None:
        return outcome
    return replace(outcome, content=results.whole(run, outcome.blob))


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One event loop in a thread of its own: connections of tools belong to one loop."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="tools", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _done(work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result()
