"""Carries injections out in time: begins them, moves them on, and puts everything right."""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from aiops.errors import AiopsError, NotKept, UnknownName, WrongState
from aiops_lab.faults.fault import Aim
from aiops_lab.faults.holding import Holding
from aiops_lab.faults.journal import Entry, Journal, NotWritten
from aiops_lab.faults.orders import Order, Truth, read_order

if TYPE_CHECKING:
    from aiops.ports.clock import Clock
    from aiops_lab.faults.effects import Phase
    from aiops_lab.faults.journal import Event
    from aiops_lab.faults.orders import Injection
    from aiops_lab.faults.ports import LabControl


class NotUndone(AiopsError):
    """Some of what a fault changed could not be put back; the text says what."""


@dataclass(slots=True)
class _Case:
    """One injection on its way; times by the stopwatch."""

    injection: Injection
    truth: Truth
    begins: float
    ends: float | None
    phases: tuple[Phase, ...] = ()
    at: int = -1

    def due(self) -> float | None:
        """When something is to be done with it next; ``None``: when somebody says so."""
        if self.at < 0:
            return self.begins
        times = [self.ends] if self.ends is not None else []
        if self.at + 1 < len(self.phases):
            times.append(self.begins + self.phases[self.at + 1].after_s)
        return min(times, default=None)


class Engine:
    """The faults of one lab. Every method may be called from any thread.

    Attributes:
        holding: what faults do to the lab; others may do theirs beside them.
    """

    def __init__(self, control: LabControl, journal: Journal, clock: Clock) -> None:
        self._control, self._journal, self._clock = control, journal, clock
        self.holding = Holding(control)
        self._cases: dict[str, _Case] = {}
        self._numbers = itertools.count(1)
        self._changed = threading.Condition(threading.RLock())
        self._thread: threading.Thread | None = None
        self._closed = False

    def inject(self, order: Order) -> Truth:
        """Take an order; one without a delay has begun when this returns.

        Raises:
            InvalidInput: the order cannot be carried out in this lab.
            AiopsError: it could not begin; nothing of it is left.
        """
        injection = read_order(order, self._control.ground)
        with self._changed:
            if self._closed:
                raise WrongState("the lab", "is ending; start it again to inject faults")
            start = self._clock.now() + timedelta(seconds=injection.at_s)
            lasts = injection.duration_s
            kind, target = injection.kind, injection.target
            truth = Truth(
                id=f"f{next(self._numbers)}",
                kind=kind.name,
                entity=kind.entity(self._control.ground, target),
                fault_type=kind.type,
                indicator=kind.indicator(self._control.ground.topology, injection.values),
                start=start,
                end=None if lasts is None else start + timedelta(seconds=lasts),
                intensity=injection.intensity,
                parameters=injection.values,
            )
            begins = self._clock.stopwatch() + injection.at_s
            case = _Case(injection, truth, begins, None if lasts is None else begins + lasts)
            self._note("scheduled", truth)
            self._cases[truth.id] = case
            if injection.at_s <= 0:
                self._begin(case)
            self._changed.notify()
            return truth

    def revert(self, name: str) -> Truth:
        """Put one right, or cancel it where it has not begun.

        Args:
            name: its id.

        Raises:
            NotKept, UnknownName: none of that id is active.
            NotUndone: something of it could not be put back; the rest was.
        """
        with self._changed:
            if name not in self._cases:
                if not self._cases:
                    raise NotKept("active fault", name)
                raise UnknownName("active fault", name, tuple(self._cases))
            return self._end(self._cases[name])

    def revert_all(self) -> tuple[Truth, ...]:
        """Put everything right, the latest first.

        Raises:
            NotUndone: something could not be put back; the rest was.
        """
        with self._changed:
            ended, failures = [], []
            for case in reversed(list(self._cases.values())):
                try:
                    ended.append(self._end(case))
                except NotUndone as failure:
                    failures.append(str(failure))
            if failures:
                raise NotUndone("; ".join(failures))
            return tuple(ended)

    def active(self) -> tuple[Truth, ...]:
        """What is broken or will be."""
        with self._changed:
            return tuple(case.truth for case in self._cases.values())

    def step(self) -> float | None:
        """Do what is due; seconds until there is more to do, ``None``: until told."""
        with self._changed:
            now = self._clock.stopwatch()
            for case in list(self._cases.values()):
                while case.truth.id in self._cases and (due := case.due()) is not None:
                    if due > now:
                        break
                    with suppress(AiopsError):  # the journal has it; nobody waits for an answer
                        self._move(case, now)
            times = [due for case in self._cases.values() if (due := case.due()) is not None]
            return max(min(times) - self._clock.stopwatch(), 0.0) if times else None

    def start(self) -> None:
        """Do what is due when it is, in a thread, until ``close``."""
        self._thread = threading.Thread(target=self._run, name="lab-faults", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                self._changed.wait(self.step())

    def close(self) -> None:
        """Put everything right, and take no more orders.

        Raises:
            NotUndone: something could not be put back; the rest was.
        """
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self.revert_all()

    def _move(self, case: _Case, now: float) -> None:
        if case.at < 0:
            self._begin(case)
        elif case.ends is not None and case.ends <= now:
            self._end(case)
        else:
            case.at += 1
            self._enter(case)

    def _begin(self, case: _Case) -> None:
        ground, injection = self._control.ground, case.injection
        values, at = injection.values, self._clock.now()
        try:
            case.phases = injection.kind.phases(
                Aim(ground, injection.target, values, self._control, at)
            )
            self._refuse_overlap(case)
            case.at = 0
            self._note("begun", case.truth)
            self._enter(case)
        except AiopsError as failure:
            with suppress(NotUndone):  # what stopped it matters more
                self._undo(case)
            del self._cases[case.truth.id]
            with suppress(NotWritten):
                self._note("failed", case.truth.ended(self._clock.now()), str(failure))
            raise

    def _refuse_overlap(self, case: _Case) -> None:
        effects = tuple(effect for phase in case.phases for effect in phase.effects)
        if (taken := self.holding.taken(effects, case.truth.id)) is None:
            return
        owner, effect = taken
        what = f"{effect.resource} {effect.name}"
        if (other := self._cases.get(owner)) is None:
            raise WrongState(what, f"is changed by {owner} already; end that first")
        truth = other.truth
        raise WrongState(what, f"is changed by {truth.name} already; revert {truth.id} first")

    def _enter(self, case: _Case) -> None:
        self.holding.enter(case.truth.id, case.phases[case.at].effects)

    def _end(self, case: _Case) -> Truth:
        began = case.at >= 0
        try:
            self._undo(case)
        finally:
            del self._cases[case.truth.id]
            truth = case.truth.ended(self._clock.now())
            with suppress(NotWritten):  # a full disk keeps nothing broken
                self._note("ended" if began else "cancelled", truth)
            self._changed.notify()
        return truth

    def _undo(self, case: _Case) -> None:
        if failures := self.holding.release(case.truth.id):
            raise NotUndone(f"{case.truth.name} ({case.truth.id}): {'; '.join(failures)}")

    def _note(self, event: Event, truth: Truth, note: str = "") -> None:
        self._journal.write(Entry(self._clock.now(), event, truth, note))
