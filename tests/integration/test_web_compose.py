"""docker-compose.yml and what it mounts hang together, and the programs meant accept them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiops.bootstrap.durable import connected
from aiops.settings import Settings, load
from aiops.web.receivers import receivers

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


def test_it_has_the_service_a_worker_and_all_that_they_read() -> None:
    wanted = {"service", "worker", "postgres", "prometheus", "alertmanager", "loki", "tempo"}
    assert set(SERVICES) == wanted
    assert set(COMPOSE) <= {"name", "services", "volumes", "secrets", "x-aiops"}


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_waits_only_for_what_is_there_and_is_published_to_this_machine(
    name: str,
) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    for other, how in service.get("depends_on", {}).items():
        assert how["condition"] == "service_healthy"
        assert "test" in SERVICES[other]["healthcheck"]
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    for port in service.get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), "published to this machine only"


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_what_a_service_mounts_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("./"):
            assert (ROOT / source).is_file(), source
        else:
            assert source in COMPOSE["volumes"], source


def test_nothing_is_declared_that_no_service_uses() -> None:
    mounted = {
        volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", [])
    }
    assert set(COMPOSE["volumes"]) <= mounted
    given = {secret for one in SERVICES.values() for secret in one.get("secrets", [])}
    assert set(COMPOSE["secrets"]) == given


def test_ports_of_this_machine_are_given_once_and_the_services_own_is_the_images() -> None:
    ports = [port.split(":") for one in SERVICES.values() for port in one.get("ports", [])]
    published = [here for _, here, _ in ports]
    assert len(published) == len(set(published))
    (exposed,) = re.findall(r"^EXPOSE (\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert SERVICES["service"]["ports"] == [f"127.0.0.1:{exposed}:{exposed}"]


def test_health_is_asked_for_by_programs_that_the_images_have() -> None:
    asked = {
        name: one["healthcheck"]["test"][:2]
        for name, one in SERVICES.items()
        if "test" in one.get("healthcheck", {})
    }
    assert asked == {"postgres": ["CMD", "pg_isready"]}
    image = re.search(
        r"HEALTHCHECK .*?CMD (\[.*?\])$", (ROOT / "Dockerfile").read_text(), re.S | re.M
    )
    assert image is not None
    assert yaml.safe_load(image[1])[:2] == ["python", "-c"]
    compile(yaml.safe_load(image[1])[2], "HEALTHCHECK", "exec")


def test_images_are_pinned_and_named_without_a_registry() -> None:
    for name, service in SERVICES.items():
        image = service["image"]
        assert re.fullmatch(r"[a-z]+(/[a-z]+)?:[\w.]+", image), f"{name}: {image}"
        assert not image.endswith(":latest")


def test_no_secret_stands_in_the_file() -> None:
    for name, service in SERVICES.items():
        for key, value in service.get("environment", {}).items():
            if re.search("SECRET|PASSWORD|URL", key):
                assert "${" in value, f"{name}: {key}"


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(ROOT / "deploy")
    monkeypatch.setenv("AIOPS_WEBHOOKS__ALERTMANAGER__SECRET", "open-sesame")
    return load()


def test_the_service_accepts_its_settings(settings: Settings) -> None:
    assert set(receivers(settings, dev=False)) == {"alertmanager"}
    assert {name for name, _ in connected(settings)} == {"prometheus", "loki", "tempo"}


def test_every_address_in_the_settings_is_a_service(settings: Settings) -> None:
    hosts = {re.split("[/:]+", str(source["url"]))[1] for source in settings.sources.values()}
    assert hosts <= set(SERVICES)


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("promtool", ["check", "config", "prometheus.yml"]),
        ("promtool", ["check", "rules", "rules.yml"]),
        ("amtool", ["check-config", "alertmanager.yml"]),
    ],
)
def test_its_own_tool_accepts_the_configuration(program: str, arguments: list[str]) -> None:
    found = shutil.which(program) or shutil.which(f"prometheus-{program}")
    if found is None:
        pytest.skip(f"no {program} on this machine")
    done = subprocess.run(
        [found, *arguments], cwd=ROOT / "deploy", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_keeps_to_the_compose_specification(tmp_path: Path) -> None:
    done = _docker_compose(tmp_path) or _schema_of_the_specification()
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_refuses_a_key_that_the_specification_lacks(tmp_path: Path) -> None:
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text((ROOT / "docker-compose.yml").read_text().replace("image:", "imagine:", 1))
    assert _schema_of_the_specification(wrong).returncode != 0


def _docker_compose(home: Path) -> subprocess.CompletedProcess[str] | None:
    """What Docker's own check says; None where it is not installed."""
    docker = shutil.which("docker")
    if (
        docker is None
        or subprocess.run(
            [docker, "compose", "version"], capture_output=True, check=False
        ).returncode
    ):
        return None
    return subprocess.run(
        [docker, "compose", "config", "--quiet"],
        cwd=ROOT,
        env={"POSTGRES_PASSWORD": "x", "AIOPS_WEBHOOK_SECRET": "x", "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def _schema_of_the_specification(
    file: Path = ROOT / "docker-compose.yml",
) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("check-jsonschema")
    return subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", file],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_image_runs_as_nobody_special_and_says_how_it_is() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER 10001$", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "/healthz" in text
    for source in re.findall(r"^COPY ([a-z]\S*)", text, re.MULTILINE):
        assert (ROOT / source).exists()
