"""Semantic types of tool arguments: a pod's name is not a service's name.

Each is a string with a JSON-schema format of its own, so that whoever fills in arguments, and
whoever checks them, can tell them apart.
"""

from typing import Annotated

from pydantic import Field, StringConstraints

_LABEL = StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)  # RFC 1123
_SUBDOMAIN = StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)
_TEXT = StringConstraints(min_length=1, max_length=253)


def _format(name: str) -> dict[str, str]:
    return {"format": name}


Cluster = Annotated[
    str,
    _TEXT,
    Field(description="cluster, as it is configured", json_schema_extra=_format("cluster")),
]
Namespace = Annotated[
    str, _LABEL, Field(description="namespace", json_schema_extra=_format("namespace"))
]
PodName = Annotated[
    str,
    _SUBDOMAIN,
    Field(description="one pod, by its full name", json_schema_extra=_format("pod")),
]
WorkloadName = Annotated[
    str,
    _SUBDOMAIN,
    Field(
        description="a Deployment, StatefulSet or DaemonSet", json_schema_extra=_format("workload")
    ),
]
ServiceName = Annotated[
    str,
    _TEXT,
    Field(description="a service, as telemetry names it", json_schema_extra=_format("service")),
]
NodeName = Annotated[str, _SUBDOMAIN, Field(description="node", json_schema_extra=_format("node"))]
