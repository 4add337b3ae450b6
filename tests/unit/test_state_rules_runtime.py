"""Containers that run badly."""

import pytest
from clusters import Api, crashing, deployment, event, first, pod, raised, seen


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("listen tcp :80: bind: address already in use", "port_conflict"),
        ("open /data/x: read-only file system", "file_system_read_only"),
        ("write /data/x: no space left on device", "disk_full"),
        ("tls: certificate has expired", "certificate_expired_or_not_trusted"),
        ("Access denied for user 'a'@'b' mysql", "mysql_credentials_invalid"),
        ("FATAL: password authentication failed postgres", "postgres_credentials_invalid"),
    ],
)
def test_last_words_name_why_a_container_dies(words: str, kind: str) -> None:
    assert first(seen(*crashing(), logs={"web": f"starting\n{words}\n"}))[2] == kind


@pytest.mark.parametrize(
    ("code", "kind"),
    [(127, "container_command_not_found"), (139, "container_segmentation_fault")],
)
def test_exit_codes_name_why_a_container_dies(code: int, kind: str) -> None:
    last = {"terminated": {"exitCode": code, "reason": "Error"}}
    assert first(seen(*crashing(lastState=last)))[2] == kind


def test_a_container_killed_for_memory_is_told_from_one_that_just_dies() -> None:
    last = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    assert first(seen(*crashing(lastState=last)))[2] == "container_memory_limit_too_low_oom_killed"
    assert first(seen(*crashing()))[2] == "container_keeps_crashing"


@pytest.mark.parametrize(
    ("probe", "said", "kind"),
    [
        ({"tcpSocket": {"port": 9090}}, "connection refused", "liveness_probe_on_wrong_port"),
        (
            {"httpGet": {"port": 8080, "path": "/"}},
            "malformed HTTP response",
            "liveness_probe_by_wrong_protocol",
        ),
        (
            {"httpGet": {"port": 8080, "path": "/x"}},
            "HTTP probe failed with statuscode: 404",
            "liveness_probe_on_wrong_path",
        ),
        (
            {"tcpSocket": {"port": 8080}, "periodSeconds": 1, "failureThreshold": 1},
            "connection refused",
            "liveness_probe_with_too_tight_timing",
        ),
    ],
)
def test_a_liveness_probe_that_kills_by_its_settings_is_named(
    probe: Api, said: str, kind: str
) -> None:
    settings = {"container": {"livenessProbe": probe}}
    scene = seen(
        deployment("web", 0, **settings),
        pod("web", status={"restartCount": 3, "ready": False}, **settings),
        event("Pod", "web-1", "Unhealthy", f"Liveness probe failed: {said}"),
    )
    assert first(scene) == ("service", "web", kind)


def test_a_readiness_probe_that_failed_once_while_starting_accuses_nobody() -> None:
    settings = {"container": {"readinessProbe": {"tcpSocket": {"port": 9090}}}}
    scene = seen(
        deployment("web", **settings),
        pod("web", **settings),
        event("Pod", "web-1", "Unhealthy", "Readiness probe failed: connection refused"),
    )
    assert raised(scene) == []
