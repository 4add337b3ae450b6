"""Carries injections out in time: begins them, moves them on, and puts everything right."""

from __future__ import annotations

import itertools
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from aiops.errors import AiopsError, NotKept, UnknownName, WrongState
from aiops_lab.faults.edits import reverse, value_at
from aiops_lab.faults.effects import Edited, Lasting, Made, OnObjects, Removed
from aiops_lab.faults.fault import Aim
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
    lasting: tuple[Lasting, ...] = ()
    done: list[tuple[OnObjects, OnObjects | None]] = field(default_factory=list)

    def due(self) -> float | None:
        """When something is to be done with it next; ``None``: when somebody says so."""
        if self.at < 0:
            return self.begins
        times = [self.ends] if self.ends is not None else []
        if self.at + 1 < len(self.phases):
            times.append(self.begins + self.phases[self.at + 1].after_s)
        return min(times, default=None)


class Engine:
    """The faults of one lab. Every method may be called from any thread."""

    def __init__(self, control: LabControl, journal: Journal, clock: Clock) -> None:
        self._control, self._journal, self._clock = control, journal, clock
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
                indicator=kind.indicator,
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
        """Two faults never change the same value of an object: neither could be undone."""
        taken = {
            _place(effect): other.truth
            for other in self._cases.values()
            if other is not case
            for effect, _ in other.done
        }
        for phase in case.phases:
            for effect in phase.effects:
                if not isinstance(effect, Edited | Made):
                    continue
                if (held := taken.get(_place(effect))) is not None:
                    raise WrongState(
                        f"{effect.resource} {effect.name}",
                        f"is changed by {held.name} already; revert {held.id} first",
                    )

    def _enter(self, case: _Case) -> None:
        effects = case.phases[case.at].effects
        case.lasting = tuple(one for one in effects if isinstance(one, Lasting))
        for one in effects:
            if isinstance(one, OnObjects):
                self._write(case, one)
        self._hold()

    def _write(self, case: _Case, effect: OnObjects) -> None:
        before = None
        if isinstance(effect, Edited):
            before = self._control.read(effect.resource, effect.name)
        self._control.write(effect)
        case.done.append((effect, reverse(effect, before)))

    def _hold(self) -> None:
        self._control.hold(tuple(one for case in self._cases.values() for one in case.lasting))

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
        failures = []
        case.lasting = ()
        try:
            self._hold()
        except AiopsError as failure:
            failures.append(str(failure))
        # In the order they were made: a restart comes after what it is for.
        for done, back in case.done:
            try:
                if back is not None and self._stands(done):
                    self._control.write(back)
            except AiopsError as failure:
                failures.append(str(failure))
        case.done.clear()
        if failures:
            raise NotUndone(f"{case.truth.name} ({case.truth.id}): {'; '.join(failures)}")

    def _stands(self, done: OnObjects) -> bool:
        """Whether it is still as the fault made it; what somebody has mended meanwhile stays."""
        if not isinstance(done, Edited | Made):
            return True
        present = self._control.read(done.resource, done.name)
        if isinstance(done, Made) or present is None:
            return present is not None
        return bool(value_at(present, done.path) == done.value)

    def _note(self, event: Event, truth: Truth, note: str = "") -> None:
        self._journal.write(Entry(self._clock.now(), event, truth, note))


def _place(effect: OnObjects) -> tuple[object, ...]:
    match effect:
        case Edited(resource, name, path):
            return (resource, name, path)
        case Made(resource, name) | Removed(resource, name):
            return (resource, name)
        case _:
            return (effect,)
