"""What actions take: always one object, by cluster, namespace, kind and full name."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from aiops.model.tool import Target
from aiops_tools.names import Cluster, Namespace, NodeName, WorkloadName
from aiops_tools.spec import Arguments

_SUBDOMAIN = StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)


def _format(name: str) -> dict[str, str]:
    return {"format": name}


ConfigMapName = Annotated[
    str, _SUBDOMAIN, Field(description="a ConfigMap", json_schema_extra=_format("configmap"))
]
AutoscalerName = Annotated[
    str,
    _SUBDOMAIN,
    Field(description="a HorizontalPodAutoscaler", json_schema_extra=_format("autoscaler")),
]
KubernetesServiceName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=63),
    Field(description="a Service object", json_schema_extra=_format("service-object")),
]
ContainerName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63),
    Field(description="a container of the pods", json_schema_extra=_format("container")),
]
ImageReference = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9][A-Za-z0-9._/:-]*(@sha256:[0-9a-f]{64})?$", min_length=1, max_length=512
    ),
    Field(description="repository with tag or digest", json_schema_extra=_format("image")),
]
Replicas = Annotated[int, Field(ge=0, le=10_000)]
MOST_ENTRIES = 50
"""Variables or keys that one call may set."""


class OnObject(Arguments):
    """One object of a cluster."""

    cluster: Cluster

    @property
    def target(self) -> Target:
        """The object meant."""
        raise NotImplementedError


class OnWorkload(OnObject):
    """One workload."""

    namespace: Namespace
    kind: Literal["Deployment", "StatefulSet", "DaemonSet"]
    name: WorkloadName

    @property
    def target(self) -> Target:
        """See OnObject."""
        return Target(self.cluster, self.kind, self.name, self.namespace)


class OnContainer(OnWorkload):
    """One container of a workload's pods."""

    container: ContainerName


class OnNode(OnObject):
    """One node."""

    name: NodeName

    @property
    def target(self) -> Target:
        """See OnObject."""
        return Target(self.cluster, "Node", self.name)


class InNamespace(OnObject):
    """One object of a namespace whose kind follows from the tool."""

    KIND: ClassVar[str]
    namespace: Namespace

    @property
    def target(self) -> Target:
        """See OnObject."""
        name: str = getattr(self, "name")  # noqa: B009 - each subclass types its own name
        return Target(self.cluster, self.KIND, name, self.namespace)
