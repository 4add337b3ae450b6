"""Objects the API server turned away: quotas, limit ranges, service accounts, policies."""

import re
from collections.abc import Iterator

from aiops.analyze.state.holds_now import current, short
from aiops.analyze.state.raising import CONTRADICTION, FITS, HINT, NAMED, raised
from aiops.analyze.state.scene import App, Scene
from aiops.model import Entity, Evidence, FaultType, Hypothesis
from aiops.model.cluster import Event, Quota

_EXCEEDED = re.compile(
    r"exceeded quota: [\w.-]+, requested: (?P<requested>[^,]+(?:,[\w./-]+=[^,]+)*)"
)
_NO_ACCOUNT = re.compile(r'serviceaccount "?(?P<name>[\w./-]+)"? not found')
_REFUSALS: tuple[tuple[re.Pattern[str], str, FaultType], ...] = (
    (
        re.compile(
            r"(?:maximum|minimum) (?:cpu|memory|ephemeral-storage|storage) usage per"
            r"|limit to request ratio"
        ),
        "limit_range_violated",
        FaultType.QUOTA,
    ),
    (
        re.compile(r"failed quota: .*must specify"),
        "quota_demands_requests_or_limits",
        FaultType.QUOTA,
    ),
    (
        re.compile(r"violates PodSecurity|pod security policy"),
        "pod_security_standard_violated",
        FaultType.BAD_DEPLOY,
    ),
    (re.compile(r"admission webhook .* denied"), "admission_webhook_denied", FaultType.BAD_DEPLOY),
    (re.compile(r"failed calling webhook"), "admission_webhook_unreachable", FaultType.DEPENDENCY),
    (re.compile(r"no PriorityClass with name"), "priority_class_missing", FaultType.BAD_CONFIG),
    (re.compile(r"RuntimeClass .*not found"), "runtime_class_missing", FaultType.BAD_CONFIG),
    (re.compile(r"is invalid: |Invalid value:"), "pod_template_invalid", FaultType.BAD_DEPLOY),
    (
        re.compile(r"cannot create resource|is forbidden: User"),
        "controller_lacks_permission",
        FaultType.CREDENTIAL,
    ),
)
"""What the API server answers when it will not make a pod, and what that means."""
_COUNTED = {
    "service": "services",
    "claim": "persistentvolumeclaims",
    "pod": "pods",
    "configmap": "configmaps",
    "secret": "secrets",
}
_PLAIN = {
    "services": "service",
    "pods": "pod",
    "persistentvolumeclaims": "claim",
    "storage": "storage",
    "cpu": "cpu",
    "memory": "memory",
    "ephemeral-storage": "ephemeral_storage",
    "configmaps": "config_map",
    "secrets": "secret",
    "nodeports": "node_port",
    "loadbalancers": "load_balancer",
}


def resource_of(name: str) -> str:
    """A quota's resource in plain words: "cpu" of "requests.cpu", "deployment" of
    "count/deployments.apps"."""
    plain = name.strip().removeprefix("count/").partition("/")[0]
    for prefix in ("requests.", "limits.", "services."):
        plain = plain.removeprefix(prefix)
    return _PLAIN.get(plain, plain.partition(".")[0].rstrip("s")).replace("-", "_")


def quotas(scene: Scene) -> Iterator[Hypothesis]:
    """A namespace's quota keeps pods from being made (events of what would make them)."""
    blocked: dict[tuple[str, str], dict[str, tuple[App, Event]]] = {}
    for app in scene.apps:
        if not short(app):
            continue
        for event in scene.events_of(app):
            found = _EXCEEDED.search(event.message) if current(event) else None
            if found:
                for part in found["requested"].split(","):
                    resource = resource_of(part.partition("=")[0])
                    key = (app.entity.namespace or "", resource)
                    blocked.setdefault(key, {})[app.name] = (app, event)
    for (namespace, resource), victims in sorted(blocked.items()):
        claims = [
            scene.read(f"{name}: {event.message}", (event.source,), "event")
            for name, (_, event) in sorted(victims.items())
        ]
        yield _quota(
            scene, namespace, resource, NAMED, claims, [a.entity for a, _ in victims.values()]
        )


def declared_but_missing(scene: Scene) -> Iterator[Hypothesis]:
    """An object a manifest declares was never made; a quota that is used up says why."""
    for kind, objects in (("service", scene.state.services), ("claim", scene.state.claims)):
        for one in objects:
            namespace = one.namespace or ""
            if one.observed or (kind, namespace) not in scene.state.listed:
                continue
            claim = f"{kind} {one.name} is declared but not in the cluster"
            evidence = scene.read(claim, one.sources)
            full = [
                (quota, resource)
                for quota in scene.state.quotas
                if (quota.namespace or "") == namespace
                for resource in _used_up(quota, kind, getattr(one, "requested", None))
            ]
            for quota, resource in full:
                used = _use(quota, resource)
                yield _quota(
                    scene,
                    namespace,
                    resource_of(resource),
                    NAMED,
                    [scene.read(used, quota.sources), evidence],
                    [_owner(scene, one.name)],
                )
            if not full:
                fault = FaultType.BAD_CONFIG if kind == "service" else FaultType.STORAGE
                yield raised(
                    _owner(scene, one.name),
                    fault,
                    f"declared_{kind}_missing",
                    CONTRADICTION,
                    [evidence],
                    refuted_by=f"{kind} {one.name} listed by the API server",
                )


def full_quotas(scene: Scene) -> Iterator[Hypothesis]:
    """A quota that is used up while nothing is known to be turned away: a hint."""
    for quota in scene.state.quotas:
        for resource, hard in quota.hard.items():
            used = quota.used.get(resource, 0.0)
            if used >= hard > 0 or used > hard:
                evidence = scene.read(_use(quota, resource), quota.sources)
                yield _quota(
                    scene, quota.namespace or "", resource_of(resource), HINT, [evidence], []
                )


def service_accounts(scene: Scene) -> Iterator[Hypothesis]:
    """Pods are not made because their service account does not exist."""
    for app in scene.apps:
        if not short(app):
            continue
        for event in scene.events_of(app):
            found = _NO_ACCOUNT.search(event.message) if current(event) else None
            if found and (app.workload is None or not app.pods):
                known = _account_exists(scene, app, found["name"].rpartition("/")[2])
                yield raised(
                    app.entity,
                    FaultType.CREDENTIAL,
                    "service_account_not_found",
                    FITS if known else NAMED,
                    [scene.read(event.message, (event.source,), "event")],
                    affected=short(app),
                    indicator="serviceAccountName",
                    refuted_by=f"service account {found['name']} existing when pods are refused",
                )
                break


def refusals(scene: Scene) -> Iterator[Hypothesis]:
    """Other reasons the API server gives for making no pod."""
    for app in scene.apps:
        if not short(app) or app.pods:
            continue
        for event in scene.events_of(app):
            if "exceeded quota" in event.message or not current(event):
                continue
            for pattern, kind, fault in _REFUSALS:
                if pattern.search(event.message) and not _NO_ACCOUNT.search(event.message):
                    yield raised(
                        app.entity,
                        fault,
                        kind,
                        NAMED,
                        [scene.read(event.message, (event.source,), "event")],
                        affected=short(app),
                        refuted_by=f"a new pod of {app.name} being admitted",
                    )
                    break


def _quota(
    scene: Scene,
    namespace: str,
    resource: str,
    telling: float,
    support: list[Evidence],
    explains: list[Entity],
) -> Hypothesis:
    cluster = next((quota.cluster for quota in scene.state.quotas), None)
    return raised(
        Entity("namespace", namespace, cluster=cluster),
        FaultType.QUOTA,
        f"{resource}_quota_of_namespace_used_up",
        telling,
        support,
        affected=max(len(explains), 1),
        refuted_by=f"room left for {resource} in the quotas of namespace {namespace}",
        explains=explains,
        indicator=resource,
    )


def _use(quota: Quota, resource: str) -> str:
    used, hard = quota.used.get(resource, 0.0), quota.hard[resource]
    return f"quota {quota.name}: {resource} {used:g} of {hard:g}"


def _used_up(quota: Quota, kind: str, requested: float | None) -> Iterator[str]:
    for resource, hard in quota.hard.items():
        used = quota.used.get(resource, 0.0)
        plain = resource.removeprefix("count/")
        counted = plain == _COUNTED[kind] or (kind == "service" and plain.startswith("services."))
        if (counted and used >= hard) or (
            kind == "claim"
            and plain.endswith("requests.storage")
            and requested is not None
            and used + requested > hard
        ):
            yield resource


def _account_exists(scene: Scene, app: App, name: str) -> bool:
    return any(
        one.type == "serviceaccount"
        and one.name == name
        and one.namespace == app.entity.namespace
        and one.observed
        for one in scene.state.named
    )


def _owner(scene: Scene, name: str) -> Entity:
    if name in scene.app_of_service:
        return scene.app_of_service[name].entity
    for app in scene.apps:
        if any(
            volume.origin is not None and volume.origin.name == name for volume in app.spec.volumes
        ):
            return app.entity
    return Entity("service", name)


RULES = (quotas, declared_but_missing, full_quotas, service_accounts, refusals)
