"""Records one case from a running lab: baseline, fault, recovery."""

from __future__ import annotations

import math
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.errors import WrongState
from aiops_lab.by_kubernetes import ByKubernetes
from aiops_lab.recording.alert import alert
from aiops_lab.recording.case_folder import Recording, fresh_folder, write
from aiops_lab.recording.cpus import Cpus
from aiops_lab.recording.edits import Edits
from aiops_lab.recording.log_files import LogFiles
from aiops_lab.recording.looking import EVERY_S, WINDOW_S, Observer
from aiops_lab.recording.session import ObservedLab, lab_for_recording
from aiops_lab.recording.shaping import ENTRY_RATE as RATE
from aiops_lab.recording.snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Self

    from aiops.model.rows import Span
    from aiops.ports.clock import Clock
    from aiops_lab.faults.engine import Engine
    from aiops_lab.faults.orders import Order, Truth
    from aiops_lab.kubernetes.cluster import Cluster
    from aiops_lab.lab import Lab

__all__ = ["Phases", "Recorded", "lab_for_recording", "record"]


@dataclass(frozen=True, slots=True)
class Phases:
    """How long a case's parts last, in seconds."""

    baseline_s: float = 60
    fault_s: float = 60
    recovery_s: float = 30


@dataclass(frozen=True, slots=True)
class Recorded:
    """A case that was written.

    Attributes:
        cause: what was broken; none in a healthy control.
        busiest_cpu: the highest average of 5 s during the case, as a share 0..1 of the CPUs that
            this process may run on.
    """

    folder: Path
    cause: tuple[Truth, ...]
    busiest_cpu: float


def record(
    lab: Lab,
    engine: Engine,
    orders: Sequence[Order],
    phases: Phases,
    out: Path,
    *,
    clock: Clock,
    seed: int,
    sample: float = 0.1,
) -> Recorded:
    """Write a case to ``out``; no orders make a healthy control.

    The orders are given at the end of the baseline; all that is broken is put right at the end of
    the fault phase, and the recovery recorded. The cluster's state and its changes are those at
    the end of the fault phase: what comes after is the cure. The alert is the first that a symptom
    rule on the entry service raises (see ``alert``).

    Args:
        seed: of the sample of traces.
        sample: share of traces that are kept, whole: chosen at their beginning, whatever they
            turn out to be. No more than the lab's pods send.

    Raises:
        InvalidInput: an order cannot be carried out; ``out`` is there already; the lab has no
            Kubernetes API.
        NotUndone: a fault could not be put right.
        CannotRecord: the case cannot be written.
    """
    cluster = _cluster(lab)
    with fresh_folder(out) as folder, _Session(lab, cluster, clock) as session:
        collector = lab.collector if isinstance(lab, ObservedLab) else None
        session.warm_up()
        if collector is not None:
            collector.begin(sample, seed)
        session.last(phases.baseline_s)
        broken_at = clock.now().timestamp()
        try:
            truths = [engine.inject(order) for order in orders]
            session.last(phases.fault_s)
            state = snapshot(cluster, lab.topology.namespace)
            session.edits.end()
        finally:
            mended = {truth.id: truth for truth in engine.revert_all()}
        mended_at = clock.now().timestamp()
        session.last(phases.recovery_s)
        session.end()
        spans = collector.end() if collector is not None else ()
        truths = [mended.get(truth.id, truth) for truth in truths]
        notes = list(session.notes())
        if collector is not None and collector.dropped:
            notes.append(f"{collector.dropped} spans beyond the most that are kept were left out")
        rows = session.observer.rows
        entry = lab.topology.entry
        write(
            folder,
            Recording(
                system=lab.topology.name,
                namespace=lab.topology.namespace,
                entry=entry,
                rows=rows,
                lines=session.logs.lines,
                spans=spans,
                changes=session.edits.changes(),
                state=state,
                calls=observed_calls(rows, spans),
                alert=alert(rows, entry, broken_at, mended_at),
                truths=truths,
                broken_at=round(broken_at, 3),
                notes=notes,
            ),
        )
    return Recorded(out, tuple(truths), round(session.cpus.busiest, 3))


def _cluster(lab: Lab) -> Cluster:
    orchestrator = lab.orchestrator
    plane = orchestrator.plane if isinstance(orchestrator, ByKubernetes) else None
    if plane is None:
        raise WrongState("this lab", "has no Kubernetes API, so its state cannot be recorded")
    return plane.cluster


def observed_calls(
    rows: Sequence[tuple[float, Mapping[str, float]]], spans: Sequence[Span]
) -> list[tuple[str, str, int]]:
    """(caller, callee, requests) as callers counted them; of what only spans show, those."""
    owner = {span.span_id: span.service for span in spans}
    traced = Counter((owner.get(span.parent_id, ""), span.service) for span in spans)
    counted: dict[tuple[str, str], float] = defaultdict(float)
    rates = [(name, ops * EVERY_S) for _, row in rows for name, ops in row.items() if "->" in name]
    for name, requests in rates:
        caller, _, rest = name.partition("->")
        callee, is_rate, _ = rest.rpartition(f"_{RATE}")
        if is_rate:
            counted[caller, callee] += requests
    seen = {**traced, **{call: round(times) for call, times in counted.items()}}
    return sorted(
        (caller, callee, times)
        for (caller, callee), times in seen.items()
        if times and caller not in ("", callee)
    )


class _Session:
    """Everything that is watched while a case lasts."""

    def __init__(self, lab: Lab, cluster: Cluster, clock: Clock) -> None:
        self._clock, self._over = clock, threading.Event()
        self._names: dict[str, tuple[str, str]] = {}
        self._lab = lab
        self.cpus = Cpus()
        self.edits = Edits(cluster, lab.topology.namespace, clock.now)
        self.logs = LogFiles(lab.folder.path / "pods", self._owner)
        self._start = float(math.ceil(clock.now().timestamp())) + WINDOW_S
        self.observer = Observer(lab, cluster, self._start)
        self._skipped = 0
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            held.callback(self.observer.close)
            held.callback(self.logs.close)
            held.callback(self.edits.end)
            pool = held.enter_context(ThreadPoolExecutor(1, "watching"))
            held.callback(self._over.set)
            self._learn_names()
            self._watching = pool.submit(self._watch)
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def warm_up(self) -> None:
        """Let the time pass that rates need to begin."""
        self.last(self._start - self._clock.now().timestamp())
        self.edits.begin()

    def last(self, seconds: float) -> None:
        """Let time pass, in which everything is watched."""
        wait([self._watching], timeout=seconds)
        if self._watching.done():
            self._watching.result()

    def end(self) -> None:
        """Watch no more; what was seen is complete."""
        self._over.set()
        self._watching.result()

    def notes(self) -> list[str]:
        """What was left out."""
        counted = (
            (self.logs.dropped, "log lines beyond the most that are kept were left out"),
            (self._skipped, "seconds have no metrics: the machine was too busy to look"),
        )
        return [f"{count} {what}" for count, what in counted if count]

    def _watch(self) -> None:
        number = -WINDOW_S
        while not self._over.is_set():
            due = self._start + number * EVERY_S
            if self._over.wait(max(due - self._clock.now().timestamp(), 0.0)):
                break
            self._learn_names()
            self.observer.look(number)
            if number <= 0:
                self.logs.skip()
            else:
                self.logs.read()
            self.cpus.look()
            late = int((self._clock.now().timestamp() - due) // EVERY_S)
            self._skipped += late if number >= 0 else 0
            number += 1 + late
        self.logs.read()

    def _learn_names(self) -> None:
        for service, name, uid, _ in self._lab.orchestrator.pods():
            self._names[uid] = (service, name)

    def _owner(self, uid: str) -> tuple[str, str]:
        return self._names.get(uid, ("", uid))
