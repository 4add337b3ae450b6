"""A topology as ordinary Kubernetes manifests."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from aiops_lab.pods.setup import variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops_lab.topology.model import Resources, Service, Topology

PASSWORD_DAYS = 365


def manifests(
    topology: Topology,
    *,
    now: datetime,
    password: str,
    replicas: int | None = None,
    environment: tuple[tuple[str, str], ...] = (),
) -> list[dict[str, Any]]:
    """Namespace, ConfigMaps, Secrets, Deployments and Services, in the order to apply them.

    Args:
        now: certificates and credentials hold from here on.
        password: of every store; each gets its own, derived from it.
        replicas: of every service that is no store; ``None``: as the topology says.
        environment: variables that every ConfigMap gets too, such as where telemetry goes.
    """
    listed: list[dict[str, Any]] = [_object("v1", "Namespace", topology.namespace, None)]
    for service in topology.services.values():
        listed.append(
            _object("v1", "ConfigMap", f"{service.name}-config", topology)
            | {"data": {**_urls(service, topology), **service.config, **dict(environment)}}
        )
        listed += _secrets(service, topology, now, password)
    for service in topology.services.values():
        count = service.replicas
        if replicas is not None and service.role in {"frontend", "api", "worker"}:
            count = replicas
        listed += [_deployment(service, topology, count), _service(service, topology)]
    return listed


def _object(version: str, kind: str, name: str, topology: Topology | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if topology is not None:
        metadata["namespace"] = topology.namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _urls(service: Service, topology: Topology) -> dict[str, str]:
    return {
        f"{variable(name)}_URL": f"http://{name}:{topology.services[name].service_port}"
        for name in service.targets
    }


def _secrets(
    service: Service, topology: Topology, now: datetime, password: str
) -> Iterator[dict[str, Any]]:
    storage = service.storage
    if storage.password:
        expires = now + timedelta(days=PASSWORD_DAYS)
        content = {
            "username": service.name,
            "password": f"{password}-{service.name}",
            "expires": expires.isoformat(timespec="seconds"),
        }
        yield _secret(f"{service.name}-credentials", topology, content)
    if storage.certificate_days is not None:
        end = now + timedelta(days=storage.certificate_days)
        content = {"not_after": end.isoformat(timespec="seconds")}
        yield _secret(f"{service.name}-certificate", topology, content)


def _secret(name: str, topology: Topology, content: dict[str, str]) -> dict[str, Any]:
    encoded = {key: base64.b64encode(v.encode()).decode() for key, v in content.items()}
    return _object("v1", "Secret", name, topology) | {"type": "Opaque", "data": encoded}


def _deployment(service: Service, topology: Topology, replicas: int) -> dict[str, Any]:
    labels = {"name": service.name, "app": service.name}
    container = {
        "name": service.name,
        "image": f"lab/{service.name}:{topology.version}",
        "ports": [{"name": "http", "containerPort": service.port}],
        "envFrom": [{"configMapRef": {"name": f"{service.name}-config"}}],
        "env": list(_environment(service, topology)),
        "resources": _resources(service.resources),
        "readinessProbe": _probe(period_s=3, failures=2),
        "livenessProbe": _probe(period_s=10, failures=3) | {"initialDelaySeconds": 10},
    }
    template = {
        "metadata": {
            "labels": labels,
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": str(service.port),
            },
        },
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 10},
    }
    deployment = _object("apps/v1", "Deployment", service.name, topology)
    deployment["metadata"]["labels"] = labels
    return deployment | {
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"name": service.name}},
            "template": template,
        }
    }


def _environment(service: Service, topology: Topology) -> Iterator[dict[str, Any]]:
    if service.storage.password:
        for variable_name, key in (
            ("STORE_USER", "username"),
            ("STORE_PASSWORD", "password"),
            ("STORE_PASSWORD_EXPIRES", "expires"),
        ):
            yield _from_secret(variable_name, f"{service.name}-credentials", key)
    if service.storage.certificate_days is not None:
        yield _from_secret("CERTIFICATE_NOT_AFTER", f"{service.name}-certificate", "not_after")
    for name in service.targets:
        if topology.services[name].storage.password:
            prefix = variable(name)
            yield _from_secret(f"{prefix}_USER", f"{name}-credentials", "username")
            yield _from_secret(f"{prefix}_PASSWORD", f"{name}-credentials", "password")


def _from_secret(name: str, secret: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def _resources(resources: Resources) -> dict[str, Any]:
    return {
        "requests": {
            "cpu": f"{round(resources.cpu_request * 1000)}m",
            "memory": f"{resources.memory_request >> 20}Mi",
        },
        "limits": {
            "cpu": f"{round(resources.cpu_limit * 1000)}m",
            "memory": f"{resources.memory_limit >> 20}Mi",
        },
    }


def _probe(*, period_s: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/health", "port": "http"},
        "periodSeconds": period_s,
        "timeoutSeconds": 1,
        "failureThreshold": failures,
    }


def _service(service: Service, topology: Topology) -> dict[str, Any]:
    fronted = _object("v1", "Service", service.name, topology)
    fronted["metadata"]["labels"] = {"name": service.name}
    return fronted | {
        "spec": {
            "selector": {"name": service.name},
            "ports": [{"name": "http", "port": service.service_port, "targetPort": service.port}],
        }
    }
