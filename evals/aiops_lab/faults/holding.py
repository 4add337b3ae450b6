"""Effects on a lab by who wants them: they add up, and each owner's are taken back alone."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops.errors import AiopsError
from aiops_lab.faults.edits import reverse, value_at
from aiops_lab.faults.effects import Edited, Effect, Lasting, Made, OnObjects, Removed

if TYPE_CHECKING:
    from aiops_lab.faults.ports import LabControl

Place = tuple[object, ...]


@dataclass(slots=True)
class _Owned:
    lasting: tuple[Lasting, ...] = ()
    done: list[tuple[OnObjects, OnObjects | None]] = field(default_factory=list)


class Holding:
    """What is done to one lab. Every method may be called from any thread."""

    def __init__(self, control: LabControl) -> None:
        self._control = control
        self._owned: dict[str, _Owned] = {}
        self._lock = threading.RLock()

    def enter(self, owner: str, effects: tuple[Effect, ...]) -> None:
        """Write what changes objects, and let the rest hold in place of what the owner had held.

        Raises:
            AiopsError: one of them cannot be; ``release`` undoes those before it.
        """
        with self._lock:
            own = self._owned.setdefault(owner, _Owned())
            own.lasting = tuple(one for one in effects if isinstance(one, Lasting))
            for one in effects:
                if isinstance(one, OnObjects):
                    self._write(own, one)
            self._hold()

    def release(self, owner: str) -> list[str]:
        """Take back all that is the owner's; what could not be, in words."""
        with self._lock:
            own = self._owned.pop(owner, _Owned())
            failures = []
            try:
                self._hold()
            except AiopsError as failure:
                failures.append(str(failure))
            # In the order they were made: a restart comes after what it is for.
            for done, back in own.done:
                try:
                    if back is not None and self._stands(done):
                        self._control.write(back)
                except AiopsError as failure:
                    failures.append(str(failure))
            return failures

    def taken(self, effects: tuple[Effect, ...], owner: str) -> tuple[str, Edited | Made] | None:
        """Who else changes a value that one of the effects would, and which effect that is.

        Two never change the same value of an object: neither could be undone.
        """
        with self._lock:
            held = {
                _place(effect): other
                for other, own in self._owned.items()
                if other != owner
                for effect, _ in own.done
            }
            for one in effects:
                if isinstance(one, Edited | Made) and _place(one) in held:
                    return held[_place(one)], one
            return None

    def _write(self, own: _Owned, effect: OnObjects) -> None:
        before = None
        if isinstance(effect, Edited):
            before = self._control.read(effect.resource, effect.name)
        self._control.write(effect)
        own.done.append((effect, reverse(effect, before)))

    def _hold(self) -> None:
        self._control.hold(tuple(one for own in self._owned.values() for one in own.lasting))

    def _stands(self, done: OnObjects) -> bool:
        """Whether it is still as it was made; what somebody has mended meanwhile stays."""
        if not isinstance(done, Edited | Made):
            return True
        present = self._control.read(done.resource, done.name)
        if isinstance(done, Made) or present is None:
            return present is not None
        return bool(value_at(present, done.path) == done.value)


def _place(effect: OnObjects) -> Place:
    match effect:
        case Edited(resource, name, path):
            return (resource, name, path)
        case Made(resource, name) | Removed(resource, name):
            return (resource, name)
        case _:
            return (effect,)
