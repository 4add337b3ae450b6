"""Experiments of Chaos Mesh, carried out beside the faults and by the same levers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from aiops.errors import AiopsError, WrongState
from aiops_lab.faults.engine import NotUndone

if TYPE_CHECKING:
    from aiops_lab.faults.effects import Effect
    from aiops_lab.faults.holding import Holding
    from aiops_lab.topology.model import Topology


class Experiments:
    """An Enactor over what faults hold; see aiops_lab.kubernetes.controllers.chaos."""

    def __init__(self, holding: Holding, topology: Topology) -> None:
        self.topology = topology
        self._holding = holding
        self._owners: set[str] = set()
        self._lock = threading.Lock()

    def enact(self, owner: str, effects: tuple[Effect, ...]) -> None:
        """See Enactor."""
        with self._lock:
            if (taken := self._holding.taken(effects, owner)) is not None:
                other, effect = taken
                what = f"{effect.resource} {effect.name}"
                raise WrongState(what, f"is changed by {other} already; end that first")
            self._owners.add(owner)
            try:
                self._holding.enter(owner, effects)
            except AiopsError:
                self._release(owner)
                raise

    def revert(self, owner: str) -> None:
        """See Enactor."""
        with self._lock:
            if failures := self._release(owner):
                raise NotUndone("; ".join(failures))

    def close(self) -> None:
        """Take everything back; what cannot be ends with the lab."""
        with self._lock:
            for owner in list(self._owners):
                self._release(owner)

    def _release(self, owner: str) -> list[str]:
        self._owners.discard(owner)
        return self._holding.release(owner)
