"""Attributes: values as text, and what a resource's say about where telemetry comes from.

Names are those of OpenTelemetry's semantic conventions for resources.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from aiops.ingest.otlp.limits import Limits
from aiops.model import Entity

UNNAMED = "unknown_service"
"""What the conventions call a service that does not say its name."""
_NAMESPACES = ("k8s.namespace.name", "service.namespace")
_NODES = ("k8s.node.name", "host.name")


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose telemetry it is: the most specific thing that the resource names.

    Attributes:
        service: its name; the host's where the resource is a host without a service.
        instance: pod or instance; "" where neither is named.
    """

    entity: Entity
    service: str
    instance: str


def texts(attributes: Iterable[KeyValue], limits: Limits) -> dict[str, str]:
    """The first attributes by name, as text of bounded length."""
    few = islice(attributes, limits.attributes)
    return {kept(one.key, limits.name): text_of(one.value, limits.text) for one in few}


def text_of(value: AnyValue, most: int) -> str:
    """A value as people write it; lists and maps as JSON, bytes as base64; "" for none."""
    which = value.WhichOneof("value")
    if which == "string_value":
        return kept(value.string_value, most)
    if which is None:
        return ""
    plain = _plain(value)
    shown = plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
    return kept(shown, most)


def kept(text: str, most: int) -> str:
    """The text, cut, and without NUL, which databases do not keep."""
    cut = text[:most]
    return cut.replace("\0", "\ufffd") if "\0" in cut else cut


def origin_of(resource: Resource, limits: Limits) -> Origin:
    """Where the telemetry of a resource comes from."""
    said = {
        name: value[: limits.name] for name, value in texts(resource.attributes, limits).items()
    }

    def first(*names: str) -> str | None:
        return next((said[name] for name in names if said.get(name)), None)

    cluster, namespace = first("k8s.cluster.name"), first(*_NAMESPACES)
    service, node = first("service.name"), first(*_NODES)
    instance = first("k8s.pod.name", "service.instance.id")
    if service is None and instance is None and node is not None:
        return Origin(Entity("node", node, None, cluster), node, "")
    name = service or UNNAMED
    if instance is not None:
        return Origin(Entity("instance", instance, namespace, cluster, name), name, instance)
    return Origin(Entity("service", name, namespace, cluster), name, "")


def _plain(value: AnyValue) -> Any:
    # The parser refuses messages nested deeper than 100 levels.
    which = value.WhichOneof("value")
    if which is None:
        return None
    if which == "array_value":
        return [_plain(one) for one in value.array_value.values]
    if which == "kvlist_value":
        return {one.key: _plain(one.value) for one in value.kvlist_value.values}
    if which == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, which)
