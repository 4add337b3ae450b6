"""Addresses clients were given, and whether they can resolve names at all."""

import re
from collections.abc import Iterator

from aiops.analyze.state.holds_now import short
from aiops.analyze.state.naming import shown, slip
from aiops.analyze.state.raising import CONTRADICTION, FITS, SYMPTOM, raised
from aiops.analyze.state.scene import App, Scene
from aiops.model import Entity, FaultType, Hypothesis
from aiops.model.cluster import Service
from aiops.model.pod_spec import Variable

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,20}://)?(?:[^@/\s]{0,100}@)?(?P<host>[a-z0-9][a-z0-9_-]{0,62})"
    r"(?P<domain>(?:\.[a-z0-9-]{1,63}){0,8})(?::(?P<port>\d{1,5}))?(?:/.*)?$",
    re.I,
)
_ADDRESS_NAME = re.compile(r"host|addr|url|uri|endpoint", re.I)
_WRONG = "environment_variable_names_wrong_address"
_UNRESOLVED = (
    "unknownhostexception",
    "no such host",
    "name or service not known",
    "temporary failure in name resolution",
    "getaddrinfo enotfound",
    "getaddrinfo eai_again",
    "could not resolve host",
    "failed to resolve",
)
"""How programs say, in lower case, that a name has no address."""
_FAILED = (
    "refused",
    "timed out",
    "timeout",
    "not known",
    "no such host",
    "unabletoconnect",
    "unavailable",
    "unknownhost",
)
_PLAIN_WORDS = frozenset({"localhost", "true", "false", "none", "http", "https", "tcp", "grpc"})


_Found = tuple[Entity, str, float, str]


def addresses(scene: Scene) -> Iterator[Hypothesis]:
    """An environment variable that names a service or a port that is not there.

    A dangling address may be harmless (an optional part that is not installed), so the name must
    be close to a real one or be named in a log; a wrong port of a real service is enough.
    """
    services = {service.name: service for service in scene.state.services if service.observed}
    for app in scene.apps:
        if app.workload is not None and app.workload.desired == 0:
            continue
        for container in app.spec.containers:
            for variable in container.variables:
                found = _address(scene, app, variable, services)
                if found is None:
                    continue
                entity, kind, telling, words = found
                logged = scene.said(app.name, (variable.value or "-").lower())
                yield raised(
                    entity,
                    FaultType.BAD_CONFIG,
                    kind,
                    telling,
                    [
                        scene.read(
                            f"{app.name}: {variable.name}={variable.value}, but {words}",
                            app.sources,
                        ),
                        logged[1] if logged else None,
                    ],
                    affected=1 + len(scene.callers_of(app.name)) / 10,
                    indicator=variable.name,
                    refuted_by=f"{variable.value} answering {app.name}",
                    explains=scene.caller_entities(app.name),
                )


def names(scene: Scene) -> Iterator[Hypothesis]:
    """A pod that cannot resolve names: its own DNS settings, or the cluster's DNS."""
    for app in scene.apps:
        foreign = app.spec.dns_policy == "None" and bool(app.spec.nameservers)
        own = foreign or app.spec.dns_policy == "Default"
        suffering = bool(short(app)) or any(
            c.restarts for pod in app.pods for c in pod.spec.containers
        )
        said = scene.said(app.name, *_UNRESOLVED) if own or short(app) else None
        if not foreign and said is None:
            continue
        support = [said[1] if said else None]
        if own:
            asked = ", ".join(app.spec.nameservers) or "its node's name servers"
            support.append(
                scene.read(
                    f"{app.name} asks {asked} for names, and not the cluster's DNS",
                    app.sources[::-1],
                )
            )
        yield raised(
            app.entity,
            FaultType.DNS,
            "dns_settings_of_pod_resolve_no_service" if own else "service_name_not_resolved",
            (CONTRADICTION if suffering or said else SYMPTOM) if own else FITS * FITS,
            support,
            affected=max(short(app), 1),
            indicator="dnsConfig",
            refuted_by=f"a pod of {app.name} resolving a service's name",
            explains=scene.caller_entities(app.name),
        )


def _address(
    scene: Scene, app: App, variable: Variable, services: dict[str, Service]
) -> _Found | None:
    found = _ADDRESS.match(variable.value or "")
    if found is None or found["host"].lower() in _PLAIN_WORDS or found["host"].isdigit():
        return None
    target = services.get(found["host"])
    if target is not None:
        return _wrong_port(scene, app, target, found["port"] or "")
    if not (found["port"] or _ADDRESS_NAME.search(variable.name)):
        return None
    if found["domain"] and not found["domain"].startswith((".svc", f".{app.entity.namespace}")):
        return None
    return _wrong_host(scene, app, found["host"], services)


def _wrong_host(scene: Scene, app: App, host: str, services: dict[str, Service]) -> _Found | None:
    if host in scene.by_name or any(s.name == host for s in scene.state.services):
        return None  # the service is missing, not the address wrong: rules_admission
    near = [name for name in services if slip(host, name)]
    plain = host.lower()
    logged = scene.said(app.name, f"{plain}:", f"{plain}/", f"{plain} ")
    complained = logged is not None and any(word in logged[0].lower() for word in _FAILED)
    if not near and not complained:
        return None
    words = f"there is no service {host}" + (f" ({near[0]} is near)" if near else "")
    return app.entity, _WRONG, CONTRADICTION if near else FITS, words


def _wrong_port(scene: Scene, app: App, target: Service, port: str) -> _Found | None:
    numbers = {str(one.number) for one in target.ports}
    if not port or not numbers or port in numbers:
        return None
    words = f"service {target.name} has {shown(target.ports)}"
    other = scene.app_of_service.get(target.name)
    offered = {str(one.number) for c in (other.spec.containers if other else ()) for one in c.ports}
    if other is not None and port in offered and not offered & numbers:
        # The container listens where the client asks: the service in between was changed.
        return other.entity, "service_port_maps_to_no_container_port", CONTRADICTION, words
    return app.entity, _WRONG, CONTRADICTION, words


RULES = (addresses, names)
