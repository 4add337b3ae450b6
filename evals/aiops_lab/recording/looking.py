"""Looks at a lab once a second: scrapes every pod, reads objects, keeps a row of columns."""

from __future__ import annotations

import http.client
from collections import defaultdict, deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiops.errors import NotKept
from aiops_lab.pods.setup import bound
from aiops_lab.recording.exposition import Totals, read_totals
from aiops_lab.recording.shaping import NodeSeen, PodSeen, WorkloadSeen, columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from aiops_lab.kubelet.ports import PodState
    from aiops_lab.kubernetes.cluster import Cluster
    from aiops_lab.lab import Lab

EVERY_S = 1.0
WINDOW_S = 5
"""Rates and quantiles are over this many seconds, as rate(...[5s]): a request or two a second and
service leave shorter ones empty, longer ones blur when a fault began."""
ANSWER_S = 0.8
_AT_ONCE = 8
_PRESSURES = ("MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(slots=True)
class _Target:
    """One pod that is scraped: its connection, and the last totals with their times."""

    ip: str
    port: int
    kept: deque[tuple[float, Totals]] = field(default_factory=lambda: deque(maxlen=WINDOW_S + 1))
    _connection: http.client.HTTPConnection | None = None

    def scrape(self) -> Totals | None:
        """Its totals now; ``None`` where it does not answer."""
        connection = self._connection or http.client.HTTPConnection(
            self.ip, self.port, timeout=ANSWER_S
        )
        try:
            connection.request("GET", "/metrics")
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.close()
            connection.close()
            return None
        self._connection = connection
        return read_totals(text) if answer.status == http.client.OK else None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Observer:
    """Rows of columns, one a second.

    Args:
        start: unix time of the first row; the others follow at whole seconds after it.
    """

    def __init__(self, lab: Lab, cluster: Cluster, start: float) -> None:
        self._lab, self._cluster, self._start = lab, cluster, start
        self._targets: dict[str, _Target] = {}
        self._usage: dict[str, deque[tuple[float, float]]] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="recorder")
        self.rows: list[tuple[float, Mapping[str, float]]] = []

    def look(self, number: int) -> None:
        """Take the row of a second, counted from the start.

        Looks before the start, WINDOW_S of them, fill the windows: a quantile of fewer requests
        is a lower one, and would look like a change.
        """
        at = self._start + number * EVERY_S
        pods = list(self._pods(at, first=not self._targets))
        if number >= 0:
            self.rows.append((at, columns(pods, self._workloads(), self._nodes())))

    def _pods(self, at: float, *, first: bool) -> Iterator[PodSeen]:
        listed = []
        for service, name, uid, port in self._lab.orchestrator.pods():
            try:
                state = self._lab.runtime.state(uid)
                used = self._lab.runtime.usage(uid)
            except NotKept:
                continue
            if uid not in self._targets:
                target = _Target(state.ip, bound(port, self._lab.runtime.shift))
                if not first:  # it came up while we looked: its counters began at zero
                    target.kept.append((at - EVERY_S, Totals({})))
                self._targets[uid] = target
            listed.append((service, name, uid, state, used))
        gone = set(self._targets) - {uid for _, _, uid, _, _ in listed}
        for uid in gone:
            self._targets.pop(uid).close()
            self._usage.pop(uid, None)
        scraped = self._pool.map(lambda one: self._targets[one[2]].scrape(), listed)
        for (service, name, uid, state, used), totals in zip(listed, scraped, strict=True):
            yield self._pod(service, name, uid, state, used, totals, at)

    def _pod(
        self,
        service: str,
        name: str,
        uid: str,
        state: PodState,
        used: tuple[float, int],
        totals: Totals | None,
        at: float,
    ) -> PodSeen:
        usage = self._usage.setdefault(uid, deque(maxlen=WINDOW_S))
        usage.append(used)
        kept, grown, elapsed = self._targets[uid].kept, None, EVERY_S
        if totals is not None:
            kept.append((at, totals))
            while at - kept[0][0] > WINDOW_S * EVERY_S and len(kept) > 2:
                kept.popleft()
            if at > kept[0][0]:
                elapsed = at - kept[0][0]
                grown = totals.since(kept[0][1])
        return PodSeen(
            service,
            name,
            totals,
            grown,
            elapsed,
            cores=sum(cores for cores, _ in usage) / len(usage),
            resident=float(used[1]),
            ready=all(one.ready for one in state.containers),
            restarts=sum(one.restarts for one in state.containers),
        )

    def _workloads(self) -> list[WorkloadSeen]:
        namespace = self._lab.topology.namespace
        scaled = {
            hpa["spec"]["scaleTargetRef"]["name"]: hpa
            for hpa in self._cluster.every("horizontalpodautoscalers.autoscaling", namespace)
        }
        found = []
        for one in self._cluster.every("deployments.apps", namespace):
            name, status = one["metadata"]["name"], one.get("status") or {}
            hpa = scaled.get(name)
            found.append(
                WorkloadSeen(
                    name,
                    desired=one["spec"].get("replicas", 1),
                    available=status.get("availableReplicas", 0),
                    unavailable=status.get("unavailableReplicas", 0),
                    scaled_to=(hpa.get("status") or {}).get("currentReplicas") if hpa else None,
                    scaled_at_most=hpa["spec"]["maxReplicas"] if hpa else None,
                )
            )
        return found

    def _nodes(self) -> list[NodeSeen]:
        cores: dict[str, float] = defaultdict(float)
        resident: dict[str, float] = defaultdict(float)
        for pod in self._cluster.every("pods"):
            used = self._usage.get(pod["metadata"]["uid"])
            if used:
                node = pod["spec"].get("nodeName", "")
                cores[node] += used[-1][0]
                resident[node] += used[-1][1]
        return [
            NodeSeen(
                name := node["metadata"]["name"],
                cores[name],
                resident[name],
                sum(map(_is_wrong, (node.get("status") or {}).get("conditions") or ())),
            )
            for node in self._cluster.every("nodes")
        ]

    def close(self) -> None:
        """Hang up on every pod."""
        self._pool.shutdown()
        for target in self._targets.values():
            target.close()


def _is_wrong(condition: Mapping[str, str]) -> bool:
    kind, status = condition.get("type"), condition.get("status")
    return (kind in _PRESSURES and status == "True") or (kind == "Ready" and status != "True")
