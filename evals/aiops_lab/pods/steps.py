"""Carries out the steps of a route or a consumer."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lab.pods.client import Client, Unanswered
from aiops_lab.pods.traces import Exporter, Trace, child
from aiops_lab.topology.model import Call, Optional, Publish, Query, Step, Together, Work

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from aiops_lab.pods.journal import Journal
    from aiops_lab.pods.strain import Strain
    from aiops_lab.pods.wall import Wall

SLICE_MS = 2.0
_BLOCK = bytes(4096)


class StepFailed(Exception):
    """A request cannot be served; the status to answer with, and why."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Asked:
    """What steps know of the request: its names (session, item and the path's own) and trace."""

    names: Mapping[str, str]
    trace: Trace


@dataclass(frozen=True, slots=True)
class Steps:
    """Everything steps need of their process."""

    clients: Mapping[str, Client]
    journal: Journal
    exporter: Exporter
    strain: Strain
    rng: random.Random
    wall: Wall

    async def run(self, steps: tuple[Step, ...], asked: Asked) -> None:
        """One after the other.

        Raises:
            StepFailed: one could not be done.
        """
        for step in steps:
            await self._run(step, asked)

    async def _run(self, step: Step, asked: Asked) -> None:
        match step:
            case Work(ms=ms):
                await self._work(ms)
            case Call(to=to, method=method, path=path):
                await self._ask(to, method, _filled(path, asked), b"", asked, f"{method} {path}")
            case Publish(to=to, queue=queue):
                body = json.dumps({**asked.names, "trace": asked.trace.header[13:-2]}).encode()
                await self._ask(to, "POST", f"/queues/{queue}", body, asked, f"publish {queue}")
            case Query():
                await self._query(step, asked)
            case Together(steps=inner):
                results = await asyncio.gather(
                    *(self._run(one, asked) for one in inner), return_exceptions=True
                )
                for result in results:
                    if isinstance(result, BaseException):
                        raise result
            case Optional(step=one):
                try:
                    await self._run(one, asked)
                except StepFailed as failure:
                    self.journal.warning(f"went on without: {failure}", asked.trace)

    async def _work(self, ms: float) -> None:
        """Burn CPU for as long as a step does now.

        In slices, so that many requests get on beside each other and probes are answered.
        """
        done = 0.0
        while (left := ms * self.strain.now.work_factor - done) > 0:
            work(slice_ms := min(left, SLICE_MS))
            done += slice_ms
            if left > SLICE_MS:
                await asyncio.sleep(0)

    async def _query(self, query: Query, asked: Asked) -> None:
        key = _filled(query.key, asked)
        body = json.dumps(
            {"op": query.op, "table": query.table, "key": key, "item": asked.names["item"]}
        ).encode()
        name = f"{query.op} {query.table}"
        rows = await self._ask(query.to, "POST", "/query", body, asked, name)
        if query.missing is not None and rows == b"[]":
            raise StepFailed(query.missing, f"no {query.table} {key}")

    async def _ask(
        self, to: str, method: str, path: str, body: bytes, asked: Asked, name: str
    ) -> bytes:
        trace, began, error = child(asked.trace, self.rng), self.wall.time_ns(), None
        headers = f"{trace.header}x-session: {asked.names['session']}\r\n"
        try:
            answer = await self.clients[to].request(method, path, headers=headers, body=body)
            if answer.status >= 400:
                error = f"{to} answered {answer.status} to {name}"
                # The caller's own fault stays the caller's; theirs makes ours fail.
                raise StepFailed(answer.status if answer.status < 500 else 500, error)
        except Unanswered as failure:
            error = f"{name}: {failure}"
            raise StepFailed(504 if failure.why == "timeout" else 503, error) from None
        finally:
            about = (("peer.service", to), ("http.request.method", method), ("url.path", path))
            self.exporter.span(trace, name, 3, began, self.wall.time_ns(), about, error)
        return answer.body


def work(ms: float) -> None:
    """Burn CPU until this thread has used ``ms`` milliseconds of it."""
    end = time.thread_time() + ms / 1e3
    while time.thread_time() < end:
        hashlib.sha256(_BLOCK)


def _filled(text: str, asked: Asked) -> str:
    return text.format_map(asked.names) if "{" in text else text
