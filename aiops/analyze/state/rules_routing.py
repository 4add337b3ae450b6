"""Services that reach no pod: selectors, target ports, protocols, network policies."""

from collections.abc import Iterator

from aiops.analyze.state.holds_now import short, weight
from aiops.analyze.state.naming import entity_of, shown, slip
from aiops.analyze.state.raising import CONTRADICTION, FITS, HINT, SYMPTOM, raised
from aiops.analyze.state.scene import App, Scene
from aiops.model import Evidence, FaultType, Hypothesis
from aiops.model.cluster import Service
from aiops.model.pod_spec import Container, Port


def selectors(scene: Scene) -> Iterator[Hypothesis]:
    """A service whose selector chooses no pod, while the pods it was made for are there."""
    for service in scene.state.services:
        if not service.observed or not service.selector or scene.reached(service.name):
            continue
        own = scene.by_name.get(service.name)
        chosen = [app for app in scene.apps if service in app.services]
        if chosen and (own is None or own in chosen):
            continue
        near = own or _near(scene, service)
        if near is None and not scene.unreached(service.name):
            continue
        entity = near.entity if near else entity_of(service)
        wanted = ",".join(f"{key}={value}" for key, value in service.selector.items())
        others = ", ".join(app.name for app in chosen) or "no pod"
        claim = f"service {service.name} selects {wanted}, which chooses {others}"
        labels = dict(near.labels) if near else {}
        yield raised(
            entity,
            FaultType.BAD_CONFIG,
            "service_selector_matches_other_pods" if chosen else "service_selector_matches_no_pod",
            CONTRADICTION * weight(service, scene),
            [
                scene.read(claim, service.sources),
                scene.read(f"pods of {near.name} have {labels}", near.sources) if near else None,
            ],
            affected=1 + len(scene.callers_of(service.name)) / 10,
            indicator="selector",
            refuted_by=f"ready addresses behind service {service.name}",
            explains=scene.caller_entities(service.name),
        )


def ports(scene: Scene) -> Iterator[Hypothesis]:
    """A service's target port that no container has, by number, by name or by protocol."""
    for app in scene.apps:
        offered = offered_by(app)
        for service in app.services:
            if not service.observed or not offered or scene.reached(service.name):
                continue
            for port in service.ports:
                found = mismatch(port, offered)
                if found is None:
                    continue
                kind, words = found
                silent = 1.0 if scene.unreached(service.name) else FITS
                yield raised(
                    app.entity,
                    FaultType.BAD_CONFIG,
                    kind,
                    CONTRADICTION * silent * weight(service, scene),
                    [
                        scene.read(
                            f"service {service.name} port {port.number}/{port.protocol}: {words}",
                            service.sources,
                        ),
                        scene.read(f"containers of {app.name} have {shown(offered)}", app.sources),
                        _reach_evidence(scene, service),
                    ],
                    affected=1 + len(scene.callers_of(service.name)) / 10,
                    indicator="targetPort",
                    refuted_by=f"service {service.name} answering on port {port.number}",
                    explains=scene.caller_entities(service.name),
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
            blocked = set(policy.denies) - _allowed(scene, app)
            if not blocked:
                continue
            reached = any(scene.reached(service.name) for service in app.services)
            failed = any(scene.unreached(service.name) for service in app.services)
            telling = FITS if failed and not short(app) else SYMPTOM
            yield raised(
                app.entity,
                FaultType.NETWORK_PARTITION,
                "network_policy_blocks_traffic",
                (HINT if reached else telling) * weight(policy, scene),
                [
                    scene.read(
                        f"policy {policy.name} stops all {' and '.join(sorted(blocked))} "
                        f"traffic of {app.name}",
                        policy.sources,
                    )
                ],
                indicator=policy.name,
                refuted_by=f"{app.name} answering a request from another pod",
            )


def _allowed(scene: Scene, app: App) -> set[str]:
    """The ways that any policy of the app's pods opens to somebody."""
    return {
        way
        for policy in scene.state.policies
        if policy.namespace == app.entity.namespace
        and policy.selector.items() <= app.labels.items()
        for way in policy.allows
    }


def no_addresses(scene: Scene) -> Iterator[Hypothesis]:
    """A service without addresses although its pods are well: something between them is wrong."""
    empty = {one.name for one in scene.state.endpoints if one.ready == 0 and not one.not_ready}
    for app in scene.apps:
        if short(app) or not app.pods:
            continue
        for service in app.services:
            if service.observed and service.name in empty and scene.unreached(service.name):
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


def offered_by(app: App) -> list[Port]:
    """The ports that the containers of its pods say they have."""
    running = [c for pod in app.pods[:1] for c in pod.spec.containers]
    containers = _with_names(running or list(app.spec.containers), app)
    return [port for container in containers for port in container.ports]


def mismatch(port: Port, offered: list[Port]) -> tuple[str, str] | None:
    """What is wrong with where a service's port leads: its kind, and in words; None: nothing."""
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


def _with_names(containers: list[Container], app: App) -> list[Container]:
    """Containers of the pods; those of the template where only it knows the ports' names."""
    known = any(port.name for container in containers for port in container.ports)
    templated = [c for c in app.spec.containers if any(port.name for port in c.ports)]
    return containers if known or not templated else [*containers, *templated]


def _near(scene: Scene, service: Service) -> App | None:
    wanted = set(service.selector.values())
    for app in scene.apps:
        if app.entity.namespace == service.namespace and (
            wanted & set(app.labels.values()) or any(slip(value, app.name) for value in wanted)
        ):
            return app
    return None


def _reach_evidence(scene: Scene, service: Service) -> Evidence | None:
    for one in scene.reach:
        if one.service == service.name and one.failed:
            return scene.read(f"{service.name}:{one.port} does not answer", (one.source,), "tool")
    return None


RULES = (selectors, ports, policies, no_addresses)
