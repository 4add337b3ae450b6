"""The life of one container's process: set up, serve, drain at SIGTERM."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from aiops_lab.pods.app import App, Gate
from aiops_lab.pods.client import Client, Unanswered
from aiops_lab.pods.journal import Journal
from aiops_lab.pods.meter import Meter, add_process
from aiops_lab.pods.names import Resolver
from aiops_lab.pods.setup import BadConfiguration, PodSetup, Settings, read_settings
from aiops_lab.pods.steps import Asked, StepFailed, Steps
from aiops_lab.pods.store import Queues, Tables, Volume
from aiops_lab.pods.strain import Strain
from aiops_lab.pods.throttle import Throttle
from aiops_lab.pods.traces import Exporter, begin
from aiops_lab.pods.wall import Wall

if TYPE_CHECKING:
    import socket

    from aiops_lab.topology.model import Consumer, Service, Topology

DRAIN_S = 5
BACKLOG = 512


def run(setup: PodSetup, topology: Topology, control: socket.socket) -> int:
    """Serve until SIGTERM; the exit code."""
    service = topology.services[setup.service]
    throttle = Throttle(setup.cpu_cores) if setup.cpu_cores else None
    if throttle is not None:
        throttle.start()
    # The server re-raises the signal that ended it; drained is a success, so nobody dies of it.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        settings = read_settings(service, topology, setup.env)
    except BadConfiguration as error:
        quiet = Exporter("", ())
        journal = Journal(setup.service, setup.pod, quiet, Wall(), debug=False)
        journal.error(f"cannot start: {error}")
        return 1
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(setup, topology, service, settings, control, throttle))


async def _serve(
    setup: PodSetup,
    topology: Topology,
    service: Service,
    settings: Settings,
    control: socket.socket,
    throttle: Throttle | None,
) -> int:
    resource = (
        ("service.name", setup.service),
        ("service.version", setup.version),
        ("service.namespace", setup.namespace),
        ("k8s.pod.name", setup.pod),
        ("k8s.namespace.name", setup.namespace),
    )
    wall = Wall()
    exporter = Exporter(settings.otlp, resource, wall.time_ns)
    journal = Journal(setup.service, setup.pod, exporter, wall, debug=settings.debug)
    volume = Volume(Path(setup.volume), setup.volume_bytes)
    strain = Strain(topology.versions[setup.version], volume, throttle, wall)
    meter = Meter((("service", setup.service), ("pod", setup.pod)))
    rng = random.Random(setup.seed)  # noqa: S311 - ids and jitter, no secrets
    resolver = Resolver(setup.ip, (setup.dns_host, setup.dns_port), setup.namespace)
    clients = {
        name: Client(
            target,
            resolver=resolver,
            source=setup.ip,
            bound=setup.bound,
            size=settings.pool,
            timeout_s=settings.timeout_s,
            retries=settings.retries,
            meter=meter,
            rng=rng,
            habits=strain.habits,
            now=lambda: wall.time_ns() / 1e9,
        )
        for name, target in settings.targets.items()
    }
    app = App(
        service=service,
        settings=settings,
        steps=Steps(clients, journal, exporter, strain, rng, wall),
        meter=meter,
        journal=journal,
        exporter=exporter,
        tables=Tables(service.storage, volume, strain.habits)
        if service.role in {"database", "cache"}
        else None,
        queues=Queues(service.storage.queue_length) if service.role == "queue" else None,
        rng=rng,
        gate=Gate(settings.concurrency),
        wall=wall,
    )
    _add_gauges(app, volume, throttle)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=setup.ip,
            port=setup.bound(settings.port),
            log_config=None,
            access_log=False,
            lifespan="off",
            http="httptools",
            backlog=BACKLOG,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=DRAIN_S,
        )
    )
    journal.info(f"listening on port {settings.port}", version=setup.version)
    side = [exporter.run(), strain.run(), strain.listen(control)]
    side += [_consume(app, one) for one in service.consumers]
    tasks = [asyncio.create_task(one) for one in side]
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()
    journal.info("drained, bye")
    return 0 if server.started else 1


def _add_gauges(app: App, volume: Volume, throttle: Throttle | None) -> None:
    meter = app.meter
    add_process(meter)
    meter.gauge("requests_in_flight", lambda: app.gate.inside)
    meter.gauge("requests_waiting", lambda: app.gate.waiting)
    meter.gauge("otlp_dropped_total", lambda: app.exporter.dropped)
    if throttle is not None:
        meter.gauge("container_cpu_cfs_throttled_periods_total", lambda: throttle.periods)
        meter.gauge("container_cpu_cfs_throttled_seconds_total", lambda: throttle.throttled_s)
        meter.gauge("container_cpu_limit_cores", lambda: throttle.cores)
    if tables := app.tables:
        meter.gauge("store_rows", tables.rows)
        meter.gauge("store_queries_active", lambda: tables.active)
        meter.gauge("store_queries_waiting", lambda: tables.waiting)
        meter.gauge("volume_used_bytes", volume.used)
        meter.gauge("volume_size_bytes", lambda: volume.room)
    if queues := app.queues:
        meter.gauge("queue_depth", queues.depth)
        meter.gauge("queue_size", lambda: app.service.storage.queue_length)


async def _consume(app: App, consumer: Consumer) -> None:
    """Take messages and work on them, one at a time, until cancelled."""
    client, pause = app.steps.clients[consumer.to], 0.1
    name = f"consume {consumer.queue}"
    while True:
        try:
            answer = await client.request("GET", f"/queues/{consumer.queue}", timeout_s=10.0)
        except Unanswered as failure:
            app.journal.error(f"cannot consume {consumer.queue}: {failure}")
            await asyncio.sleep(pause := min(pause * 2, 5.0))
            continue
        if answer.status != 200:
            if answer.status >= 400:
                app.journal.error(f"{consumer.to} answered {answer.status} to {name}")
                await asyncio.sleep(pause := min(pause * 2, 5.0))
            continue
        pause, began, began_ns = 0.1, time.monotonic(), app.wall.time_ns()
        names = {"session": "-", "item": "-"} | json.loads(answer.body)
        trace = begin(names.pop("trace", ""), app.rng, app.settings.sample)
        error = None
        await app.steps.strain.delay(lambda now: now.message_delay_s)
        try:
            await app.steps.run(consumer.steps, Asked(names, trace))
        except StepFailed as failure:
            error = str(failure)
            app.journal.error(f"message lost: {failure}", trace, queue=consumer.queue)
        code = "500" if error else "200"
        labels = (("method", "CONSUME"), ("route", name), ("status_code", code))
        app.meter.observe("request_duration_seconds", time.monotonic() - began, labels)
        app.exporter.span(trace, name, 5, began_ns, app.wall.time_ns(), (), error)


def leave(code: int) -> None:
    """End a forked process without the parent's exit hooks."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
