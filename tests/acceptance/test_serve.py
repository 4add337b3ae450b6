"""``aiops serve`` and ``aiops token`` as their users run them: real processes, a real database."""

import os
import signal
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import httpx
import pytest
from service_process import WAIT_S, command, served, wait

PAYLOAD = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "RequestsSlow", "service": "web", "severity": "critical"},
            "annotations": {"summary": "p99 above 2 s"},
            "startsAt": datetime.now(UTC).isoformat(),
            "endsAt": "0001-01-01T00:00:00Z",
        }
    ],
}


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def test_an_alert_becomes_an_incident_with_a_report_that_survive_a_kill(tmp_path: Path) -> None:
    with served(tmp_path) as one:
        assert one.client.post("/webhooks/alertmanager", json=PAYLOAD).status_code == 202
        wait(one.incidents)
        number = one.incidents()[0]["id"]
        one.process.send_signal(signal.SIGKILL)
        one.process.wait(WAIT_S)
    with served(tmp_path) as one:
        wait(one.reported)
        assert [incident["id"] for incident in one.incidents()] == [number]
        page = one.client.get(f"/incidents/{number}")
        assert "p99 above 2 s" in page.text
        assert "No source of telemetry is set" in page.text
        assert one.client.get("/readyz").json()["status"] == "ready"
        report = one.client.get(f"/api/v1/incidents/{number}/report").json()
        assert report["schema"] == "aiops.report/1"


def test_sigterm_ends_it_within_five_seconds_with_streams_open(tmp_path: Path) -> None:
    with served(tmp_path) as one:
        process, client = one.process, one.client

        def listen() -> None:
            with (
                httpx.Client(base_url=client.base_url, trust_env=False, timeout=WAIT_S) as own,
                own.stream("GET", "/api/v1/events") as stream,
            ):
                list(stream.iter_lines())

        threads = [Thread(target=listen, daemon=True) for _ in range(5)]
        for thread in threads:
            thread.start()
        wait(lambda: "aiops_event_stream_clients 5.0" in client.get("/metrics").text)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        for thread in threads:
            thread.join(WAIT_S)
            assert not thread.is_alive()


def test_a_port_in_use_is_one_line_and_exit_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(tmp_path, "serve", "--dev", "--port", taken.getsockname()[1])
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "--port" in done.stderr


def test_dev_is_refused_on_an_address_that_others_reach(tmp_path: Path) -> None:
    done = run(tmp_path, "serve", "--dev", "--host", "192.0.2.1", "--port", "0")
    assert done.returncode == 2
    assert "this machine only" in done.stderr
    assert not (tmp_path / "aiops.db").exists()


def test_a_webhook_without_a_secret_stops_the_start_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "aiops.toml").write_text('[webhooks.prom]\nkind = "alertmanager"\n')
    done = run(tmp_path, "serve", "--port", "0")
    assert done.returncode == 2
    assert "webhooks.prom.secret" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_first_start_says_how_to_make_what_is_missing(tmp_path: Path) -> None:
    with served(tmp_path, dev=False) as one:
        assert one.client.get("/api/v1/incidents").status_code == 401
        assert one.client.post("/webhooks/alertmanager", json=PAYLOAD).status_code == 404
    said = one.log.read_text()
    assert "aiops token create" in said
    assert "[webhooks.alertmanager]" in said


def test_a_token_from_the_command_line_opens_the_api_until_it_is_revoked(tmp_path: Path) -> None:
    made = run(tmp_path, "token", "create", "ada", "--role", "responder", "--expires", "90d")
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    with served(tmp_path, dev=False) as one:
        client = one.client
        client.headers["Authorization"] = f"Bearer {secret}"
        assert client.get("/api/v1/incidents").status_code == 200
        assert client.get("/api/v1/tokens").status_code == 403
        listed = run(tmp_path, "token", "list").stdout
        assert "responder" in listed
        assert secret not in listed
        number = listed.split()[0]
        assert run(tmp_path, "token", "revoke", number).returncode == 0
        assert client.get("/api/v1/incidents").status_code == 401
    assert secret not in one.log.read_text()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("create", "ada", "--role", "king"), "--role"),
        (("create", "ada", "--role", "viewer", "--expires", "soon"), "--expires"),
        (("revoke", "tok-nothing"), "tok-nothing"),
    ],
    ids=["role", "expires", "unknown"],
)
def test_wrong_use_of_tokens_names_what_is_wrong(
    tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    done = run(tmp_path, "token", *arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.splitlines()) == 1
