"""What a container's process is told at its start, and what its environment makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lab.topology.model import STORES, Service, Topology

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class PodSetup:
    """One container's process. Plain values only: it travels as JSON.

    Attributes:
        version: the image's tag, a key of the topology's versions.
        ip: the pod's loopback address; dns: where names are resolved, host and port.
        port_shift: added to every port, where the plain ones are taken or need privileges.
        cpu_cores: the CPU limit; ``None``: none.
        volume: folder of the container's data; volume_bytes: its room.
        env: the container's environment, resolved.
        seed: of every random choice the process makes.
    """

    service: str
    version: str
    pod: str
    namespace: str
    container: str
    ip: str
    dns_host: str
    dns_port: int
    port_shift: int
    cpu_cores: float | None
    volume: str
    volume_bytes: int
    env: Mapping[str, str]
    seed: int

    def bound(self, port: int) -> int:
        """The port that stands for ``port`` in this lab."""
        return bound(port, self.port_shift)


def bound(port: int, shift: int) -> int:
    """``port`` moved by ``shift``, where that is still a port."""
    return port + shift if port + shift < 1 << 16 else port


class BadConfiguration(Exception):
    """An environment variable cannot be used; the process logs it and exits."""

    def __init__(self, name: str, value: str, wanted: str) -> None:
        super().__init__(f"{name}={value!r} cannot be used: {wanted} is needed")


@dataclass(frozen=True, slots=True)
class Target:
    """Another service as a client sees it; ``store``: it answers to credentials and queries."""

    name: str
    host: str
    port: int
    store: bool
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment makes of a service; what it leaves out is the topology's.

    Attributes:
        sample: share of traces that are exported.
        otlp: base URL of a collector ("http://host:port"); empty: nothing is exported.
        password_expires, certificate_not_after: RFC 3339; empty: never.
    """

    port: int
    timeout_s: float
    retries: int
    pool: int
    concurrency: int
    targets: Mapping[str, Target]
    otlp: str
    sample: float
    debug: bool
    user: str
    password: str
    password_expires: str
    certificate_not_after: str


def variable(service: str) -> str:
    """A service's name as part of an environment variable's."""
    return service.upper().replace("-", "_")


def read_settings(service: Service, topology: Topology, env: Mapping[str, str]) -> Settings:
    """The settings in an environment.

    Raises:
        BadConfiguration: a variable's value is no number or no URL.
    """
    level = env.get("LOG_LEVEL", "info").lower()
    if level not in {"debug", "info"}:
        raise BadConfiguration("LOG_LEVEL", level, "debug or info")
    return Settings(
        port=int(_number(env, "PORT", service.port)),
        timeout_s=_number(env, "TIMEOUT_S", service.timeout_s),
        retries=int(_number(env, "RETRIES", service.retries)),
        pool=int(_number(env, "POOL_SIZE", service.pool)),
        concurrency=int(_number(env, "CONCURRENCY", service.concurrency)),
        targets={name: _target(topology.services[name], env) for name in service.targets},
        otlp=env.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/"),
        sample=_number(env, "OTEL_TRACES_SAMPLER_ARG", 1.0),
        debug=level == "debug",
        user=env.get("STORE_USER", ""),
        password=env.get("STORE_PASSWORD", ""),
        password_expires=env.get("STORE_PASSWORD_EXPIRES", ""),
        certificate_not_after=env.get("CERTIFICATE_NOT_AFTER", ""),
    )


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    value = env.get(name)
    if value is None:
        return default
    try:
        number = float(value)
    except ValueError:
        raise BadConfiguration(name, value, "a number") from None
    if not 0 <= number < 1e9:
        raise BadConfiguration(name, value, "a number from 0 up")
    return number


def _target(service: Service, env: Mapping[str, str]) -> Target:
    prefix = variable(service.name)
    url = env.get(f"{prefix}_URL", f"http://{service.name}:{service.service_port}")
    found = re.fullmatch(r"http://([-.a-z0-9]+)(?::(\d{1,5}))?/?", url)
    if not found:
        raise BadConfiguration(f"{prefix}_URL", url, "http://host:port")
    return Target(
        name=service.name,
        host=found[1],
        port=int(found[2] or 80),
        store=service.role in STORES,
        user=env.get(f"{prefix}_USER", ""),
        password=env.get(f"{prefix}_PASSWORD", ""),
    )
