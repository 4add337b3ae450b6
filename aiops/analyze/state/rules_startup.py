"""Pods that have a node and do not start: images, settings, sandboxes, init containers."""

import re
from collections.abc import Iterator

from aiops.analyze.state.holds_now import current, unwell
from aiops.analyze.state.raising import CONTRADICTION, FITS, NAMED, SYMPTOM, raised
from aiops.analyze.state.scene import App, Scene
from aiops.model import FaultType, Hypothesis
from aiops.model.cluster import Event, Pod
from aiops.model.pod_spec import Container

_PULL_WORDS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "ImageInspectError",
    "ErrImageNeverPull",
    "InvalidImageName",
    "RegistryUnavailable",
)
_PULLS: tuple[tuple[re.Pattern[str], str, FaultType], ...] = (
    (
        re.compile(
            r"no such host|server misbehaving|lookup \S+ on|could not resolve"
            r"|Temporary failure in name resolution",
            re.I,
        ),
        "image_registry_name_not_resolved_by_dns",
        FaultType.IMAGE,
    ),
    (
        re.compile(r"x509|certificate|tls: ", re.I),
        "image_registry_certificate_not_trusted",
        FaultType.CERTIFICATE,
    ),
    (
        re.compile(r"toomanyrequests|rate limit|429", re.I),
        "image_registry_rate_limit",
        FaultType.IMAGE,
    ),
    (re.compile(r"no space left", re.I), "node_disk_full_at_image_pull", FaultType.DISK),
    (
        re.compile(r"no match for platform|exec format", re.I),
        "image_for_another_platform",
        FaultType.IMAGE,
    ),
    (
        re.compile(
            r"failed to authorize|unauthorized|authentication required|pull access denied"
            r"|no basic auth|denied: requested access|401",
            re.I,
        ),
        "image_pull_secret_missing_or_refused",
        FaultType.IMAGE,
    ),
    (
        re.compile(r"i/o timeout|connection refused|network is unreachable|context deadline", re.I),
        "image_registry_unreachable",
        FaultType.IMAGE,
    ),
    (
        re.compile(
            r"not ?found|manifest unknown|403 Forbidden|invalid reference"
            r"|repository does not exist|couldn't parse|name unknown",
            re.I,
        ),
        "image_reference_wrong",
        FaultType.IMAGE,
    ),
)
"""What a pull says and what it means; the first that matches decides."""
_CONFIG: tuple[tuple[re.Pattern[str], str, FaultType], ...] = (
    (
        re.compile(r'secret "?[\w.-]+"? not found', re.I),
        "referenced_secret_missing",
        FaultType.BAD_CONFIG,
    ),
    (
        re.compile(r'configmap "?[\w.-]+"? not found', re.I),
        "referenced_config_map_missing",
        FaultType.BAD_CONFIG,
    ),
    (
        re.compile(r"couldn't find key .* in secret", re.I),
        "key_missing_in_secret",
        FaultType.BAD_CONFIG,
    ),
    (re.compile(r"couldn't find key", re.I), "key_missing_in_config_map", FaultType.BAD_CONFIG),
    (
        re.compile(r"runAsNonRoot|non-root", re.I),
        "image_runs_as_root_where_forbidden",
        FaultType.BAD_DEPLOY,
    ),
    (
        re.compile(r"OOM-killed|memory limit too low", re.I),
        "container_memory_limit_too_low_oom_killed",
        FaultType.OOM,
    ),
    (
        re.compile(r"executable file not found|no such file or directory", re.I),
        "container_command_not_found",
        FaultType.BAD_DEPLOY,
    ),
    (
        re.compile(r"permission denied", re.I),
        "container_command_not_executable",
        FaultType.BAD_DEPLOY,
    ),
    (re.compile(r"subPath", re.I), "volume_sub_path_missing", FaultType.BAD_CONFIG),
    (re.compile(r"no space left", re.I), "node_disk_full", FaultType.DISK),
)
"""What the kubelet says of a container it cannot make."""
_SANDBOX_RUNTIME = re.compile(
    r"(?:containerd|docker|crio?)\.sock|container runtime is (?:down|not)", re.I
)
_SANDBOX_NETWORK = re.compile(
    r"cni|network plugin|failed to (?:set up|setup) (?:sandbox )?network|no IP addresses", re.I
)


def images(scene: Scene) -> Iterator[Hypothesis]:
    """An image that cannot be pulled, by what the pull said."""
    for app, pod in _unwell(scene):
        waiting = [c for c in _all(pod) if c.reason in _PULL_WORDS] or (pod.status in _PULL_WORDS)
        if not waiting:
            continue
        events = [e for e in scene.events_about.get(pod.key, ()) if "ull" in e.message]
        kind, fault, event = _pull(events, pod)
        support = [
            scene.read(
                event.message if event else f"{pod.name}: {pod.status}",
                (event.source,) if event else pod.sources,
                "event" if event else "state",
            )
        ]
        support += [
            scene.read(secret.message, (secret.source,), "event")
            for secret in _missing_pull_secrets(events)
        ]
        yield raised(
            app.entity,
            fault,
            kind,
            NAMED if event else FITS,
            support,
            affected=_down(app),
            refuted_by=f"the image of {app.name} being pulled",
        )


def _pull(events: list[Event], pod: Pod) -> tuple[str, FaultType, Event | None]:
    failed = [
        e
        for e in events
        if e.reason in ("Failed", "InspectFailed", "ErrImageNeverPull")
        and "Back-off" not in e.message
    ]
    for event in failed:
        for pattern, kind, fault in _PULLS:
            if pattern.search(event.message):
                return kind, fault, event
    secrets = list(_missing_pull_secrets(events))
    if secrets:
        return "image_pull_secret_missing_or_refused", FaultType.IMAGE, secrets[0]
    if pod.status == "ErrImageNeverPull":
        return "image_absent_and_never_pulled", FaultType.IMAGE, failed[0] if failed else None
    if pod.status == "InvalidImageName":
        return "image_reference_wrong", FaultType.IMAGE, failed[0] if failed else None
    return (
        "image_reference_wrong" if not failed else "image_pull_failed",
        FaultType.IMAGE,
        failed[0] if failed else None,
    )


def _missing_pull_secrets(events: list[Event]) -> Iterator[Event]:
    return (e for e in events if e.reason == "FailedToRetrieveImagePullSecret")


def configuration(scene: Scene) -> Iterator[Hypothesis]:
    """A container that cannot be made of its settings: secrets, config maps, commands."""
    for app, pod in _unwell(scene):
        messages = [
            (container.message, None)
            for container in _all(pod)
            if container.state == "waiting" and container.message
        ]
        told = [
            (event.message, event)
            for event in scene.events_about.get(pod.key, ())
            if event.warning
            and current(event)
            and event.reason in ("Failed", "FailedCreatePodSandBox", "FailedStart", "InspectFailed")
        ]
        for message, event in (*messages, *told):
            found = next(((k, f) for pattern, k, f in _CONFIG if pattern.search(message)), None)
            if found is None or "ull image" in message or _SANDBOX_RUNTIME.search(message):
                continue  # pulls are judged by images(), a dead runtime by the machine's own rules
            yield raised(
                app.entity,
                found[1],
                found[0],
                NAMED,
                [
                    scene.read(
                        f"{app.name}: {message}",
                        (event.source,) if event else pod.sources,
                        "event" if event else "state",
                    )
                ],
                affected=_down(app),
                refuted_by=f"a container of {app.name} being created",
            )
            break


def missing_references(scene: Scene) -> Iterator[Hypothesis]:
    """A pod that does not run takes settings from a secret or config map that is not there."""
    present = {(n.type, n.namespace, n.name) for n in scene.state.named if n.observed} | {
        ("configmap", n.namespace, n.name) for n in scene.state.config_maps if n.observed
    }
    for app, pod in _unwell(scene):
        for container in _all(pod):
            wanted = [
                *container.variables_from,
                *(v.origin for v in container.variables if v.origin),
            ]
            for one in wanted:
                listed = (one.kind, pod.namespace or "") in scene.state.listed
                if (
                    listed
                    and not one.optional
                    and (one.kind, pod.namespace, one.name) not in present
                ):
                    kind = "config_map" if one.kind == "configmap" else one.kind
                    yield raised(
                        app.entity,
                        FaultType.BAD_CONFIG,
                        f"referenced_{kind}_missing",
                        CONTRADICTION if container.state == "waiting" else FITS,
                        [
                            scene.read(
                                f"{container.name} needs {kind} {one.name}, which is not there",
                                pod.sources,
                            )
                        ],
                        affected=_down(app),
                        refuted_by=f"{kind} {one.name} listed by the API server",
                    )


def sandboxes(scene: Scene) -> Iterator[Hypothesis]:
    """A pod whose sandbox cannot be made for want of a network."""
    for app, pod in _unwell(scene):
        for event in scene.events_about.get(pod.key, ()):
            if (
                event.reason != "FailedCreatePodSandBox"
                or not current(event)
                or _SANDBOX_RUNTIME.search(event.message)
            ):
                continue
            if _SANDBOX_NETWORK.search(event.message):
                yield raised(
                    app.entity,
                    FaultType.NODE,
                    "pod_network_not_set_up",
                    FITS,
                    [scene.read(event.message, (event.source,), "event")],
                    refuted_by=f"a pod of {app.name} getting an address",
                )


def init_containers(scene: Scene) -> Iterator[Hypothesis]:
    """An init container that fails keeps the rest from starting."""
    for app, pod in _unwell(scene):
        for container in pod.spec.init_containers:
            if container.reason in ("CrashLoopBackOff", "Error") or container.exit_code not in (
                None,
                0,
            ):
                yield raised(
                    app.entity,
                    FaultType.BAD_DEPLOY,
                    "init_container_fails",
                    FITS,
                    [
                        scene.read(
                            f"init container {container.name} of {pod.name}: {container.reason}",
                            pod.sources,
                        )
                    ],
                    affected=_down(app),
                    refuted_by=f"init container {container.name} completing",
                )
                break


def stuck(scene: Scene) -> Iterator[Hypothesis]:
    """A pod that has been starting for long without any word why."""
    for app, pod in _unwell(scene):
        if pod.status in ("ContainerCreating", "PodInitializing") and pod.node:
            yield raised(
                app.entity,
                FaultType.UNKNOWN,
                "pod_does_not_start",
                SYMPTOM * SYMPTOM,
                [scene.read(f"{pod.name} is {pod.status} on {pod.node}", pod.sources)],
                affected=_down(app),
                refuted_by=f"{pod.name} running",
            )


def _unwell(scene: Scene) -> Iterator[tuple[App, Pod]]:
    """One unwell pod of each app: its siblings say the same."""
    for app in scene.apps:
        for pod in app.pods:
            if unwell(pod):
                yield app, pod
                break


def _all(pod: Pod) -> tuple[Container, ...]:
    return (*pod.spec.init_containers, *pod.spec.containers)


def _down(app: App) -> int:
    return max(sum(unwell(pod) for pod in app.pods), 1)


RULES = (images, configuration, missing_references, sandboxes, init_containers, stuck)
