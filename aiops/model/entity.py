"""What can be at fault, and the signal that says so."""

from dataclasses import dataclass
from typing import Literal

EntityKind = Literal["service", "instance", "component", "node", "namespace", "workload"]
IndicatorKind = Literal["metric", "log_template", "operation", "config"]


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """One thing that can fail. A name without its cluster is ambiguous the day there are two."""

    kind: EntityKind
    name: str
    namespace: str | None = None
    cluster: str | None = None
    service: str | None = None

    @property
    def service_name(self) -> str:
        """The service this belongs to; its own name where it belongs to none."""
        return self.service or self.name

    def same_service(self, other: "Entity") -> bool:
        """Whether both are, or belong to, one service.

        A namespace or cluster that only one of them states is no contradiction: call graphs and
        alerts often leave it out.
        """
        return (
            self.service_name == other.service_name
            and (None in (self.namespace, other.namespace) or self.namespace == other.namespace)
            and (None in (self.cluster, other.cluster) or self.cluster == other.cluster)
        )


@dataclass(frozen=True, slots=True, order=True)
class Indicator:
    """The signal that carries a fault: a metric, a log template, an operation, a setting."""

    kind: IndicatorKind
    name: str
