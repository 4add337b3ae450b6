"""The ingestor "kubernetes": how a cluster is around an incident, and what was changed in it.

[sources.cluster]
kind = "kubernetes"
cluster = "shop-eu"
kubeconfig = "FILE"                # who reads; or in_cluster = true, or server and token_file
namespaces = ["shop"]              # without it, all
"""

import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from pydantic import Field, model_validator

from aiops.errors import SourceUnavailable, ToolFailed
from aiops.model import RecordedOutput
from aiops.model.change import Change
from aiops.model.tool import Unread
from aiops.ports.clock import Clock
from aiops.ports.telemetry import bounds
from aiops.store.clock import SystemClock
from aiops.toolbelt.redaction import Redactor
from aiops_tools.kubernetes import options
from aiops_tools.kubernetes.affected import told
from aiops_tools.kubernetes.changes import EDITED, REVISED, changes
from aiops_tools.kubernetes.connection import Connection
from aiops_tools.kubernetes.kinds import EVENT, Kind, kind_named
from aiops_tools.kubernetes.reader import Reader
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.state import NAMESPACED, WIDE, outputs
from aiops_tools.kubernetes.veil import Veil

PARALLEL = 6
_DISPENSABLE = frozenset({"secrets", "roles", "rolebindings", "serviceaccounts"})
"""Kinds that a reader often may not list; their changes are then not told, and nothing else is
lost. Anything else that is missing makes half an answer, which is none."""


class SourceOptions(options.ClusterOptions):
    """What ``[sources.<name>]`` of kind "kubernetes" takes."""

    namespaces: tuple[str, ...] = Field(default=(), description="to look at; without any, all")
    state_for_s: float = Field(
        default=900, gt=0, description="how long after a window the state still tells of it"
    )

    @model_validator(mode="after")
    def _only_reads(self) -> "SourceOptions":
        if self.writes:
            raise ValueError("a source only reads; leave out what begins with 'write_'")
        return self


class KubernetesSource:
    """An Ingestor, a StateSource and a ChangeSource."""

    def __init__(self, name: str, chosen: SourceOptions, reader: Reader, clock: Clock) -> None:
        self.name, self._chosen, self._reader, self._clock = name, chosen, reader, clock

    def __repr__(self) -> str:
        return f"KubernetesSource({self.name!r}, {self._reader.cluster!r})"

    @classmethod
    def connect(cls, name: str, given: Mapping[str, object]) -> "KubernetesSource":
        """See Ingestor."""
        chosen = options.read("sources", name, given, SourceOptions)
        reader = Reader(Connection(chosen, chosen.reader, "read"))
        return cls(name, chosen, reader, SystemClock())

    def state(self, start: datetime, end: datetime) -> tuple[RecordedOutput, ...]:
        """See StateSource. What looks secret in plain places is hidden; Secrets are not read."""
        bounds(start, end)
        now = self._clock.now()
        if now - end > timedelta(seconds=self._chosen.state_for_s):
            raise SourceUnavailable(
                self.name,
                f"cluster {self._reader.cluster} tells how it is now, and the window ended at "
                f"{end:%Y-%m-%d %H:%M} UTC; nothing is known of how it was (setting "
                f"'sources.{self.name}.state_for_s')",
            )
        unread: list[Unread] = []
        found = self._read((*NAMESPACED, *WIDE), unread)
        if len(unread) == len(found):
            raise SourceUnavailable(self.name, unread[0].reason)
        missing = {one.what.partition(" ")[0] for one in unread}
        read = {kind: objects for kind, objects in found.items() if kind.plural not in missing}
        veil = Veil(Redactor(secrets.token_bytes(32)))
        shown = {kind: [veil.over(one) for one in objects] for kind, objects in read.items()}
        return tuple(outputs(shown, self._namespaces(read), now))

    def changes(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> tuple[Change, ...]:
        """See ChangeSource. A config map's changes are told of the workloads that read it."""
        first, last = bounds(start, end)
        unread: list[Unread] = []
        kinds = [kind_named(name) for name in (*EDITED, *REVISED)]
        found = self._read((*kinds, EVENT), unread)
        lost = [one for one in unread if one.what.partition(" ")[0] not in _DISPENSABLE]
        if lost:
            raise SourceUnavailable(self.name, lost[0].reason)
        objects = {kind.name: list_ for kind, list_ in found.items()}
        made = [one for one in changes(objects, objects[EVENT.name]) if first <= one.at < last]
        return tuple(told(made, objects, services, self._reader.cluster))

    def check(self) -> str:
        """See Ingestor."""
        try:
            version = self._reader.version()
            pods = sum(len(found) for found in self._each(kind_named("Pod")))
        except ToolFailed as failure:
            raise SourceUnavailable(self.name, str(failure)) from failure
        where = ", ".join(self._chosen.namespaces) or "all namespaces"
        return f"cluster {self._reader.cluster}: Kubernetes {version}, {pods} pods in {where}"

    def close(self) -> None:
        """See Ingestor."""
        self._reader.close()

    def _read(self, kinds: Sequence[Kind], unread: list[Unread]) -> dict[Kind, list[Api]]:
        """Objects of each kind in the namespaces looked at."""

        def read(kind: Kind) -> list[Api]:
            places = (self._chosen.namespaces or (None,)) if kind.namespaced else (None,)
            return [one for place in places for one in self._reader.some(kind, unread, place)]

        with ThreadPoolExecutor(PARALLEL, thread_name_prefix="cluster") as pool:
            return dict(zip(kinds, pool.map(read, kinds), strict=True))

    def _each(self, kind: Kind) -> list[list[Api]]:
        return [self._reader.every(kind, place) for place in self._chosen.namespaces or (None,)]

    def _namespaces(self, read: Mapping[Kind, Sequence[Api]]) -> list[str]:
        """Those that are looked at: as configured, else all that there are."""
        known = [one["metadata"]["name"] for one in read.get(kind_named("Namespace"), ())]
        return list(self._chosen.namespaces) or known
