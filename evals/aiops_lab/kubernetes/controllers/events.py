"""Events: what controllers and the kubelet did, told once and counted (client-go/tools/record)."""

import hashlib

from aiops_lab.kubernetes.cluster import Cluster, moment_of
from aiops_lab.kubernetes.store import Change, Object

KEPT_S = 3600


class Events:
    """Writes events, and counts what happens again instead of repeating it."""

    def __init__(self, cluster: Cluster, node: str) -> None:
        self._cluster, self._node = cluster, node
        self._names: dict[str, str] = {}
        self._count = 0

    def normal(self, about: Object, reason: str, message: str, by: str, field: str = "") -> None:
        """Something happened as it should."""
        self._tell(about, "Normal", reason, message, by, field)

    def warning(self, about: Object, reason: str, message: str, by: str, field: str = "") -> None:
        """Something that people may have to look at."""
        self._tell(about, "Warning", reason, message, by, field)

    def _tell(
        self, about: Object, kind: str, reason: str, message: str, by: str, field: str
    ) -> None:
        metadata, now = about["metadata"], self._cluster.now()
        namespace = metadata.get("namespace") or "default"
        mark = f"{metadata['uid']}{kind}{reason}{message}{by}{field}".encode()
        digest = hashlib.sha256(mark).hexdigest()
        with self._cluster.store.lock:
            known = self._cluster.find("events", namespace, self._names.get(digest, ""))
            if known is not None:
                self._cluster.change(known, count=known["count"] + 1, lastTimestamp=now)
                return
            # As client-go names them: in the order of their names they are in that of time.
            self._count += 1
            moment = int(self._cluster.clock.now().timestamp()) * 10**9 + self._count
            name = self._names[digest] = f"{metadata['name']}.{moment:016x}"
            involved = {
                "kind": about["kind"],
                "apiVersion": about["apiVersion"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                **({"namespace": metadata["namespace"]} if metadata.get("namespace") else {}),
                "resourceVersion": metadata["resourceVersion"],
                **({"fieldPath": field} if field else {}),
            }
            source = {"component": by, **({"host": self._node} if by == "kubelet" else {})}
            self._cluster.insert(
                "events",
                {
                    "metadata": {"name": name, "namespace": namespace},
                    "involvedObject": involved,
                    "reason": reason,
                    "message": message,
                    "type": kind,
                    "source": source,
                    "firstTimestamp": now,
                    "lastTimestamp": now,
                    "count": 1,
                    "reportingComponent": by,
                    "reportingInstance": self._node if by == "kubelet" else "",
                },
            )


class EventExpiry:
    """Drops events an hour after they were last seen."""

    locks = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def touched(self, change: Change) -> list[tuple[str, str]]:
        """New events."""
        return (
            [change.now.key[1:]] if change.now.key[0] == "events" and change.before is None else []
        )

    def reconcile(self, name: tuple[str, str]) -> float | None:
        """Drop it, or come back when it is old enough."""
        event = self._cluster.find("events", *name)
        if event is None:
            return None
        last = event.get("lastTimestamp") or event["metadata"]["creationTimestamp"]
        left = KEPT_S - (self._cluster.clock.now() - moment_of(last)).total_seconds()
        if left > 0:
            return left
        self._cluster.store.remove(("events", *name))
        return None
