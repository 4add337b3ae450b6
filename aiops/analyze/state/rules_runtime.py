"""Containers that run badly: probes, memory, exits, what their logs say as they die."""

import re
from collections.abc import Iterator

from aiops.analyze.state.holds_now import current, own_containers, restarting, short, unwell
from aiops.analyze.state.raising import CONTRADICTION, FITS, NAMED, SYMPTOM, raised
from aiops.analyze.state.scene import SIDECARS, App, Scene
from aiops.model import FaultType, Hypothesis
from aiops.model.cluster import Event, Pod
from aiops.model.pod_spec import Container, Probe

TIGHT_S = 10.0
"""Seconds a liveness probe leaves a container from its start to being killed, below which it cannot
tell slow from dead: runtimes of most languages need several seconds to open their port."""
_EXITS: dict[int, tuple[str, FaultType]] = {
    126: ("container_command_not_executable", FaultType.BAD_DEPLOY),
    127: ("container_command_not_found", FaultType.BAD_DEPLOY),
    128: ("container_not_startable", FaultType.BAD_DEPLOY),
    132: ("container_illegal_instruction", FaultType.CRASH),
    134: ("container_aborted", FaultType.CRASH),
    139: ("container_segmentation_fault", FaultType.CRASH),
}
"""Exit codes that name their reason (128 + signal, and the shell's own)."""
_LAST_WORDS: tuple[tuple[tuple[str, ...], str, FaultType], ...] = (
    (
        ("address already in use", "is already in use", "eaddrinuse", "portinuseexception"),
        "port_conflict",
        FaultType.BAD_DEPLOY,
    ),
    (("read-only file system",), "file_system_read_only", FaultType.STORAGE),
    (("no space left on device",), "disk_full", FaultType.DISK),
    (
        ("permission denied", "eacces", "operation not permitted"),
        "file_permission_denied",
        FaultType.STORAGE,
    ),
    (
        ("outofmemoryerror", "out of memory", "cannot allocate memory"),
        "out_of_memory",
        FaultType.OOM,
    ),
    (
        ("x509", "certificate has expired", "certificate expired", "cert_has_expired"),
        "certificate_expired_or_not_trusted",
        FaultType.CERTIFICATE,
    ),
    (
        ("is forbidden: user", "cannot list resource", "cannot get resource"),
        "role_permission_denied",
        FaultType.CREDENTIAL,
    ),
)
"""What a container says before it dies, and what that means."""
_KILLED = (137, 143)
"""Exit codes of SIGKILL and SIGTERM."""
_MALFORMED = re.compile(
    r"malformed HTTP|server gave HTTP response to HTTPS|first record does not look like a TLS"
    r"|http2: |frame too large|unimplemented|unknown service grpc\.health",
    re.I,
)
_STATUS = re.compile(r"statuscode: (4\d\d)")
_MESH_PROBE = re.compile(r":150(?:20|21)\b")


def probes(scene: Scene) -> Iterator[Hypothesis]:
    """A probe that fails by its own settings: wrong port, wrong protocol, wrong path, no patience.

    Only where it still hurts: the container is not ready, or a liveness probe kills it.
    """
    for app in scene.apps:
        for pod in app.pods:
            for container in own_containers(pod):
                for probe in container.probes:
                    found = _probe(scene, app, pod, container, probe)
                    if found is not None:
                        yield found


def out_of_memory(scene: Scene) -> Iterator[Hypothesis]:
    """The kernel kills a container that passes its memory limit."""
    for app in scene.apps:
        for pod in app.pods:
            for container in (*pod.spec.init_containers, *pod.spec.containers):
                killed = "OOMKilled" in (container.reason, container.last_reason)
                suspect = container.last_exit_code == 137 and bool(container.limits.get("memory"))
                if not (killed or suspect) or not (unwell(pod) or restarting(container, pod)):
                    continue
                limit = container.limits.get("memory")
                shown = f"{limit / 2**20:g} MiB" if limit else "none"
                code = container.last_exit_code or container.exit_code
                claim = (
                    f"{container.name} of {pod.name} was killed (exit {code}), memory limit {shown}"
                )
                yield raised(
                    app.entity,
                    FaultType.OOM,
                    "container_memory_limit_too_low_oom_killed",
                    NAMED if killed else SYMPTOM,
                    [scene.read(claim, pod.sources)],
                    affected=max(short(app), 1),
                    indicator="memory",
                    refuted_by=f"memory of {container.name} staying below its limit when it dies",
                )


def last_words(scene: Scene) -> Iterator[Hypothesis]:
    """A container that keeps dying, by what it said last."""
    for app, pod, container in _dying(scene):
        for phrases, kind, fault in _LAST_WORDS:
            said = scene.said(app.name, *phrases)
            if said is None:
                continue
            named, fault_type = _explained(pod, container, kind, fault)
            yield raised(
                app.entity,
                fault_type,
                named,
                NAMED,
                [
                    said[1],
                    scene.read(
                        f"{container.name} of {pod.name}: "
                        f"{container.reason or container.last_reason}, "
                        f"{container.restarts} restarts",
                        pod.sources,
                    ),
                ],
                affected=max(short(app), 1),
                refuted_by=f"{container.name} dying without this line",
            )
            break


def crashes(scene: Scene) -> Iterator[Hypothesis]:
    """A container that keeps dying, by its exit code; a symptom where the code names nothing."""
    for app, pod, container in _dying(scene):
        code = (
            container.last_exit_code
            if container.last_exit_code is not None
            else container.exit_code
        )
        kind, fault = _EXITS.get(code or 0, ("container_keeps_crashing", FaultType.CRASH))
        yield raised(
            app.entity,
            fault,
            kind,
            FITS if code in _EXITS else SYMPTOM * 0.75,
            [
                scene.read(
                    f"{container.name} of {pod.name}: exit code {code}, "
                    f"{container.restarts} restarts",
                    pod.sources,
                )
            ],
            affected=max(short(app), 1),
            refuted_by=f"{container.name} running without restarts",
        )


def _probe(
    scene: Scene, app: App, pod: Pod, container: Container, probe: Probe
) -> Hypothesis | None:
    events = [
        e
        for e in scene.events_about.get(pod.key, ())
        if _about(e, probe) and not _MESH_PROBE.search(e.message)
    ]
    killing = probe.role in ("liveness", "startup") and container.restarts > 0
    hurting = killing or (
        probe.role == "readiness" and container.ready is False and container.state == "running"
    )
    failed = [event for event in events if current(event)]
    if not hurting or not failed:
        return None
    last = min(failed, key=lambda event: event.last_s if event.last_s is not None else 0.0)
    kind, telling = _probe_kind(container, probe, failed)
    if kind is None:
        return None
    settings = (
        f"{probe.role} probe of {container.name}: {probe.handler} port {probe.port or '-'}, delay "
        f"{probe.delay_s:g} s, period {probe.period_s:g} s, {probe.failures} failures"
    )
    return raised(
        app.entity,
        FaultType.PROBE,
        f"{probe.role}_probe_{kind}",
        telling,
        [
            scene.read(f"{pod.name}: {last.message}", (last.source,), "event"),
            scene.read(settings, pod.sources),
        ],
        affected=max(short(app), 1),
        indicator=f"{probe.role}Probe",
        refuted_by=f"the {probe.role} probe of {app.name} succeeding as it is set",
        explains=scene.caller_entities(app.name),
    )


def _about(event: Event, probe: Probe) -> bool:
    return event.reason in ("Unhealthy", "ProbeWarning") and event.message.lower().startswith(
        probe.role
    )


def _probe_kind(
    container: Container, probe: Probe, failed: list[Event]
) -> tuple[str | None, float]:
    messages = " ".join(event.message for event in failed)
    numbers = {str(port.number) for port in container.ports}
    names = {port.name for port in container.ports}
    if probe.port and numbers and probe.port not in numbers | names:
        return "on_wrong_port", CONTRADICTION
    if _MALFORMED.search(messages):
        return "by_wrong_protocol", NAMED
    siblings = [other for other in container.probes if other.role != probe.role]
    status = _STATUS.search(messages)
    if status:
        return "on_wrong_path", FITS
    if probe.role == "liveness":
        patience = probe.delay_s + probe.period_s * probe.failures
        if patience < TIGHT_S:
            return "with_too_tight_timing", CONTRADICTION
    if (
        any(other.handler != probe.handler and other.port == probe.port for other in siblings)
        and "malformed" in messages
    ):
        return "by_wrong_protocol", FITS
    if "exec" in probe.handler and "not found" in messages:
        return "with_wrong_command", FITS
    if _killed_while_starting(container, probe, messages):
        return "kills_before_start_has_ended", FITS
    return "fails", SYMPTOM * SYMPTOM if probe.role == "readiness" else SYMPTOM


def _killed_while_starting(container: Container, probe: Probe, messages: str) -> bool:
    """The kubelet killed it (it did not fall) before it ever listened on the right port."""
    return (
        probe.role in ("liveness", "startup")
        and container.last_exit_code in _KILLED
        and "OOMKilled" not in (container.reason, container.last_reason)
        and "connection refused" in messages.lower()
    )


def _dying(scene: Scene) -> Iterator[tuple[App, Pod, Container]]:
    """One dying container of each app."""
    for app in scene.apps:
        for pod in app.pods:
            dying = [c for c in own_containers(pod) if restarting(c, pod) and c.ready is not True]
            if dying:
                yield app, pod, dying[0]
                break


def _explained(
    pod: Pod, container: Container, kind: str, fault: FaultType
) -> tuple[str, FaultType]:
    """A finer name for last words, by what else the pod is made of."""
    if kind == "port_conflict":
        if any(other.name in SIDECARS for other in pod.spec.containers):
            return "port_conflict_with_sidecar", fault
        return ("port_conflict_between_containers" if len(pod.spec.containers) > 1 else kind), fault
    if kind == "file_permission_denied":
        written = [volume for volume, path, _ in container.mounts if "serviceaccount" not in path]
        if written:
            return "mounted_volume_permission_denied", FaultType.STORAGE
    return kind, fault


RULES = (
    probes,
    out_of_memory,
    last_words,
    crashes,
)
