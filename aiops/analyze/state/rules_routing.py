"""Requests that do not arrive: selectors, ports, protocols, addresses, policies, routes, names."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher

from aiops.analyze.state.holds_now import short, weight
from aiops.analyze.state.raising import CONTRADICTION, FITS, HINT, SYMPTOM, raised
from aiops.analyze.state.scene import App, Scene
from aiops.model import Entity, FaultType, Hypothesis
from aiops.model.cluster import Port, Route, Service, Variable

NEAR = 0.85
"""Likeness of two names (0 to 1) from which one is a slip of the other; "-" and "_" or a letter
more make .9 and above, two different services of one system stay below .8."""
_ADDRESS = re.compile(
    r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?(?P<host>[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)(?P<domain>(?:\.[a-z0-9-]+)*)(?::(?P<port>\d{1,5}))?(?:/.*)?$",
    re.I,
)
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


def selectors(scene: Scene) -> Iterator[Hypothesis]:
    """A service whose selector chooses no pod, while the pods it was made for are there."""
    for service in scene.state.services:
        if not service.observed or not service.selector or _reached(scene, service):
            continue
        if any(service in app.services for app in scene.apps):
            continue
        app = scene.app_of_service.get(service.name)
        near = app or _near(scene, service)
        if near is None and not _failed(scene, service):
            continue
        entity = near.entity if near else _entity(service)
        shown = ",".join(f"{key}={value}" for key, value in service.selector.items())
        claim = f"no pod has the labels service {service.name} selects: {shown}"
        labels = dict(near.labels) if near else {}
        yield raised(
            entity,
            FaultType.BAD_CONFIG,
            "service_selector_matches_no_pod",
            CONTRADICTION * weight(service, scene),
            [
                scene.read(claim, service.sources),
                scene.read(f"pods of {near.name} have {labels}", near.sources) if near else None,
            ],
            affected=1 + len(scene.callers_of(service.name)) / 10,
            indicator="selector",
            refuted_by=f"ready addresses behind service {service.name}",
            explains=_callers(scene, service.name),
        )


def ports(scene: Scene) -> Iterator[Hypothesis]:
    """A service's target port that no container has, by number, by name or by protocol."""
    for app in scene.apps:
        containers = [c for pod in app.pods[:1] for c in pod.spec.containers] or list(
            app.spec.containers
        )
        containers = _with_names(containers, app)
        offered = [port for container in containers for port in container.ports]
        for service in app.services:
            if not service.observed or not offered or _reached(scene, service):
                continue
            for port in service.ports:
                found = _mismatch(port, offered)
                if found is None:
                    continue
                kind, words = found
                yield raised(
                    app.entity,
                    FaultType.BAD_CONFIG,
                    kind,
                    CONTRADICTION
                    * weight(service, scene)
                    * (1.0 if _failed(scene, service) else FITS),
                    [
                        scene.read(
                            f"service {service.name} port {port.number}/{port.protocol}: {words}",
                            service.sources,
                        ),
                        scene.read(f"containers of {app.name} have {_shown(offered)}", app.sources),
                        _reach_evidence(scene, service),
                    ],
                    affected=1 + len(scene.callers_of(service.name)) / 10,
                    indicator="targetPort",
                    refuted_by=f"service {service.name} answering on port {port.number}",
                    explains=_callers(scene, service.name),
                )


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
                    explains=_callers(scene, app.name),
                )


def policies(scene: Scene) -> Iterator[Hypothesis]:
    """A network policy that lets nothing into (or out of) pods that others need."""
    for policy in scene.state.policies:
        if not policy.denies:
            continue
        for app in scene.apps:
            if (
                app.entity.namespace != policy.namespace
                or not policy.selector.items() <= app.labels.items()
            ):
                continue
            reached = any(_reached(scene, service) for service in app.services)
            failed = any(_failed(scene, service) for service in app.services)
            telling = FITS if failed and not short(app) else SYMPTOM
            yield raised(
                app.entity,
                FaultType.NETWORK_PARTITION,
                "network_policy_blocks_traffic",
                (HINT if reached else telling) * weight(policy, scene),
                [
                    scene.read(
                        f"policy {policy.name} lets no {' and no '.join(policy.denies)} traffic through for {app.name}",
                        policy.sources,
                    )
                ],
                indicator=policy.name,
                refuted_by=f"{app.name} answering a request from another pod",
            )


def misroutes(scene: Scene) -> Iterator[Hypothesis]:
    """A gateway's rule that sends a path to another service than the path is called after.

    Only where most rules of the same gateway do follow their paths' names.
    """
    names = {
        _squeezed(name, scene): name
        for name in (*scene.by_name, *(s.name for s in scene.state.services))
    }
    by_owner: dict[str, list[tuple[Route, str | None]]] = {}
    for route in scene.state.routes:
        by_owner.setdefault(route.owner, []).append((route, _meant(route, names)))
    for judged in by_owner.values():
        following = sum(meant == route.service for route, meant in judged if meant is not None)
        for route, meant in judged:
            if meant is None or meant == route.service or following < 2:
                continue
            if _meant_by(route.service, route, names):
                continue
            entity = (
                scene.by_name[meant].entity
                if meant in scene.by_name
                else Entity("service", meant, namespace=route.namespace)
            )
            yield raised(
                entity,
                FaultType.BAD_CONFIG,
                "gateway_route_sends_path_to_wrong_service",
                CONTRADICTION,
                [
                    scene.read(
                        f"{route.owner}: path {route.path} goes to {route.service}, while {following} other rules follow their paths' names",
                        (route.source,),
                    ),
                    _request_evidence(scene, meant),
                ],
                affected=1 + len(scene.callers_of(meant)) / 10,
                indicator=route.name or route.path,
                refuted_by=f"{route.service} serving {route.path} by design",
            )


def route_targets(scene: Scene) -> Iterator[Hypothesis]:
    """A route to a port its service does not have."""
    services = {service.name: service for service in scene.state.services if service.observed}
    for route in scene.state.routes:
        service = services.get(route.service)
        if service is None or not route.port:
            continue
        if not any(route.port in (str(port.number), port.name) for port in service.ports):
            app = scene.app_of_service.get(service.name)
            yield raised(
                app.entity if app else _entity(service),
                FaultType.BAD_CONFIG,
                "gateway_route_to_wrong_port",
                CONTRADICTION * FITS,
                [
                    scene.read(
                        f"{route.owner}: path {route.path} goes to port {route.port} of {route.service}, which has {_shown(service.ports)}",
                        (route.source,),
                    )
                ],
                indicator=route.path,
                refuted_by=f"{route.service} answering on port {route.port}",
            )


def names(scene: Scene) -> Iterator[Hypothesis]:
    """A pod that cannot resolve names: its own DNS settings, or the cluster's DNS."""
    for app in scene.apps:
        own = app.spec.dns_policy == "None" and bool(app.spec.nameservers)
        suffering = bool(short(app)) or any(
            c.restarts for pod in app.pods for c in pod.spec.containers
        )
        said = scene.said(app.name, *_UNRESOLVED) if own or short(app) else None
        if not own and said is None:
            continue
        support = [said[1] if said else None]
        if own:
            support.append(
                scene.read(
                    f"{app.name} asks only {', '.join(app.spec.nameservers)} for names, not the cluster's DNS",
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
            explains=_callers(scene, app.name),
        )


def no_addresses(scene: Scene) -> Iterator[Hypothesis]:
    """A service without addresses although its pods are well: something between them is wrong."""
    empty = {one.name for one in scene.state.endpoints if one.ready == 0 and not one.not_ready}
    for app in scene.apps:
        if short(app) or not app.pods:
            continue
        for service in app.services:
            if service.observed and service.name in empty and _failed(scene, service):
                yield raised(
                    app.entity,
                    FaultType.BAD_CONFIG,
                    "service_without_endpoints",
                    SYMPTOM * weight(service, scene),
                    [
                        scene.read(
                            f"service {service.name} has no address while {app.name} is ready",
                            service.sources,
                        )
                    ],
                    refuted_by=f"ready addresses behind service {service.name}",
                )


_Found = tuple[Entity, str, float, str]


def _address(
    scene: Scene, app: App, variable: Variable, services: dict[str, Service]
) -> _Found | None:
    found = _ADDRESS.match(variable.value or "")
    if found is None or found["host"].lower() in _PLAIN_WORDS or found["host"].isdigit():
        return None
    host, port = found["host"], found["port"]
    kind = "environment_variable_names_wrong_address"
    target = services.get(host)
    if target is None:
        if not (port or re.search(r"host|addr|url|uri|endpoint", variable.name, re.I)):
            return None
        if found["domain"] and not found["domain"].startswith((".svc", f".{app.entity.namespace}")):
            return None
        real = [name for name in services if _slip(host, name)]
        logged = scene.said(app.name, f"{host.lower()}:", f"{host.lower()}/", f"{host.lower()} ")
        if logged and not any(word in logged[0].lower() for word in _FAILED):
            logged = None
        if host in scene.by_name or any(s.name == host for s in scene.state.services):
            return None  # the service is missing, not the address wrong: rules_admission
        if real or logged:
            words = f"there is no service {host}" + (f" ({real[0]} is near)" if real else "")
            return app.entity, kind, CONTRADICTION if real else FITS, words
        return None
    if not port or any(str(one.number) == port for one in target.ports) or not target.ports:
        return None
    other = scene.app_of_service.get(target.name)
    offered = {str(one.number) for c in (other.spec.containers if other else ()) for one in c.ports}
    words = f"service {host} has {_shown(target.ports)}"
    if (
        other is not None
        and port in offered
        and not offered & {str(p.number) for p in target.ports}
    ):
        # The container listens where the client asks: the service in between was changed.
        return other.entity, "service_port_maps_to_no_container_port", CONTRADICTION, words
    return app.entity, kind, CONTRADICTION, words


def _slip(host: str, name: str) -> bool:
    if host == name:
        return False
    part = re.split(r"[-_.]", host)
    if host.startswith((f"{name}-", f"{name}_")) or "-".join(part[1:]) == name:
        return True
    return SequenceMatcher(None, host, name).ratio() >= NEAR


def _mismatch(port: Port, offered: list[Port]) -> tuple[str, str] | None:
    target = port.target or str(port.number)
    if target.isdigit():
        same = [one for one in offered if one.number == int(target)]
        if not same:
            return (
                "service_port_maps_to_no_container_port",
                f"target {target} is no port of its pods",
            )
    else:
        same = [one for one in offered if one.name == target]
        named = any(one.name for one in offered)
        if not same and named:
            return "service_port_maps_to_no_container_port", f"target {target!r} is no port's name"
        if not same:
            return None
    if all(one.protocol != port.protocol for one in same):
        return (
            "service_protocol_differs_from_container",
            f"protocol {port.protocol}, its pods speak {same[0].protocol}",
        )
    return None


def _with_names(containers, app: App):  # type: ignore[no-untyped-def]
    """Containers of the pods; those of the template where only it knows the ports' names."""
    known = any(port.name for container in containers for port in container.ports)
    templated = [c for c in app.spec.containers if any(port.name for port in c.ports)]
    return containers if known or not templated else [*containers, *templated]


def _near(scene: Scene, service: Service) -> App | None:
    wanted = set(service.selector.values())
    for app in scene.apps:
        if app.entity.namespace == service.namespace and (
            wanted & set(app.labels.values()) or any(_slip(value, app.name) for value in wanted)
        ):
            return app
    return None


def _meant(route: Route, known: dict[str, str]) -> str | None:
    """The service the rule is called after, by its path and its own name; None if by none."""
    for text in (*_segments(route.path), route.name):
        squeezed = re.sub(r"[^a-z0-9]", "", text.lower())
        for candidate in (squeezed, squeezed.removesuffix("service")):
            if candidate and candidate in known:
                return known[candidate]
    return None


def _meant_by(service: str, route: Route, known: dict[str, str]) -> bool:
    """The path itself is called after the target: then only the rule's own name differs."""
    squeezed = {key for key, name in known.items() if name == service}
    return any(re.sub(r"[^a-z0-9]", "", s.lower()) in squeezed for s in _segments(route.path))


def _segments(path: str) -> list[str]:
    return [
        part
        for part in path.split("/")
        if part and "*" not in part and not re.fullmatch(r"api|v\d+", part)
    ]


def _squeezed(name: str, scene: Scene) -> str:
    """A service's name without what most names of the system begin and end with."""
    heads: dict[str, int] = {}
    for one in scene.by_name:
        head = one.partition("-")[0]
        heads[head] = heads.get(head, 0) + ("-" in one)
    head = name.partition("-")[0]
    plain = name[len(head) :] if heads.get(head, 0) > len(scene.by_name) / 3 else name
    return re.sub(r"[^a-z0-9]", "", plain.lower()).removesuffix("service")


def _reached(scene: Scene, service: Service) -> bool:
    tries = [one for one in scene.reach if one.service == service.name]
    return bool(tries) and all(one.ok and not one.failed for one in tries)


def _failed(scene: Scene, service: Service) -> bool:
    return any(one.failed for one in scene.reach if one.service == service.name)


def _reach_evidence(scene: Scene, service: Service):  # type: ignore[no-untyped-def]
    for one in scene.reach:
        if one.service == service.name and one.failed:
            return scene.read(f"{service.name}:{one.port} does not answer", (one.source,), "tool")
    return None


def _request_evidence(scene: Scene, name: str):  # type: ignore[no-untyped-def]
    for sign in scene.signs:
        if sign.sign == "request" and sign.entity.name == name:
            return scene.read(sign.text, (sign.alert,), "event")
    return None


def _callers(scene: Scene, name: str) -> list[Entity]:
    return [
        scene.by_name[caller].entity
        for caller in sorted(scene.callers_of(name))
        if caller in scene.by_name
    ]


def _entity(service: Service) -> Entity:
    return Entity("service", service.name, namespace=service.namespace, cluster=service.cluster)


def _shown(found) -> str:  # type: ignore[no-untyped-def]
    return (
        ", ".join(
            f"{port.number}/{port.protocol}" + (f" ({port.name})" if port.name else "")
            for port in found
        )
        or "no ports"
    )


RULES = (selectors, ports, addresses, policies, misroutes, route_targets, names, no_addresses)
