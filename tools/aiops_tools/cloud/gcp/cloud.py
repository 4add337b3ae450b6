"""One project and region of Google as a Cloud, and its groups as a Resizer."""

import uuid
from collections.abc import Sequence
from typing import Final

from aiops.model import Window
from aiops_tools.cloud.gcp import machines, measured, trail
from aiops_tools.cloud.gcp.connection import Connection
from aiops_tools.cloud.port import (
    Alarm,
    CloudChange,
    Found,
    Group,
    Instance,
    MetricQuery,
    Quota,
    Samples,
)

_KEYS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "aiops:idempotency-key")


class GcpCloud:
    """A Cloud."""

    def __init__(self, project: Connection) -> None:
        self.place, self._project = project.place, project

    def instances(self, names: Sequence[str] = ()) -> Found[Instance]:
        """See Cloud."""
        return machines.instances(self._project, names)

    def groups(self, names: Sequence[str] = ()) -> Found[Group]:
        """See Cloud."""
        return machines.groups(self._project, names)

    def samples(self, query: MetricQuery) -> Found[Samples]:
        """See Cloud."""
        return measured.samples(self._project, query)

    def alarms(self) -> Found[Alarm]:
        """See Cloud."""
        return measured.alarms(self._project)

    def changes(self, window: Window, about: str | None = None) -> Found[CloudChange]:
        """See Cloud."""
        return trail.changes(self._project, window, about)

    def quotas(self, service: str) -> Found[Quota]:
        """See Cloud."""
        return machines.quotas(self._project, service)

    def check(self) -> str:
        """See Cloud."""
        return f"{self.place}: {len(self.instances().rows)} machines"

    def close(self) -> None:
        """See Cloud."""
        self._project.close()


class GcpHand:
    """What actions hold: the identity that writes, as a Resizer."""

    kind = "InstanceGroupManager"

    def __init__(self, project: Connection) -> None:
        self.place, self._project = project.place, project

    def group(self, name: str) -> Group:
        """See Resizer."""
        return machines.group(self._project, name)

    def resize(self, name: str, size: int, key: str) -> None:
        """See Resizer; the same key is the same request to the API."""
        collection, where, own = machines.parted(self._project, name)
        self._project.ask(
            "compute",
            f"resize of group {name}",
            lambda api: getattr(api, collection)().resize(
                project=self._project.project,
                instanceGroupManager=own,
                size=size,
                requestId=str(uuid.uuid5(_KEYS, f"{self.place} {name} {size} {key}")),
                **where,
            ),
        )

    def close(self) -> None:
        """Give connections back."""
        self._project.close()
