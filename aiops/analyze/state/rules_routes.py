"""Gateways' rules: paths that are sent to the wrong place."""

import re
from collections.abc import Iterator

from aiops.analyze.state.naming import entity_of, shown
from aiops.analyze.state.raising import CONTRADICTION, FITS, raised
from aiops.analyze.state.scene import Scene
from aiops.model import Entity, Evidence, FaultType, Hypothesis
from aiops.model.cluster import Route


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
                        f"{route.owner}: path {route.path} goes to {route.service}, while "
                        f"{following} other rules follow their paths' names",
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
                app.entity if app else entity_of(service),
                FaultType.BAD_CONFIG,
                "gateway_route_to_wrong_port",
                CONTRADICTION * FITS,
                [
                    scene.read(
                        f"{route.owner}: path {route.path} goes to port {route.port} of "
                        f"{route.service}, which has {shown(service.ports)}",
                        (route.source,),
                    )
                ],
                indicator=route.path,
                refuted_by=f"{route.service} answering on port {route.port}",
            )


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


def _request_evidence(scene: Scene, name: str) -> Evidence | None:
    for sign in scene.signs:
        if sign.sign == "request" and sign.entity.name == name:
            return scene.read(sign.text, (sign.alert,), "event")
    return None


RULES = (misroutes, route_targets)
