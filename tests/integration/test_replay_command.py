"""``aiops replay`` against a listener on loopback: what it sends, and what it says when refused."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

import pytest
import typer
from loopback import Quiet, listening
from typer.testing import CliRunner

from aiops.cli import replay
from aiops.errors import InvalidInput, SourceUnavailable
from aiops.ingest.otlp.bodies import PROTOBUF
from aiops.ingest.otlp.histograms import Accumulated
from aiops.ingest.otlp.metrics import decode_metrics

CASE = "synthetic:7"


@dataclass
class Listener:
    """Answers each request with the next of ``statuses``, then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    received: list[tuple[str, str, bytes]] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append((self.path, self.headers.get("Authorization", ""), body))
            self.send_response(found.statuses.pop(0) if found.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with listening(Handler) as found.url:
        yield found


def run(*arguments: str):
    app = typer.Typer()
    replay.register(app)
    return CliRunner().invoke(app, [CASE, "--speed", "100000", *arguments])


def test_telemetry_goes_out_as_otlp_and_the_alert_to_its_webhook(listener):
    result = run("--to", listener.url, "--secret", "s1", "--token", "t1")
    assert result.exit_code == 0, result.exception
    paths = {path for path, _, _ in listener.received}
    assert {"/v1/metrics", "/webhooks/generic"} <= paths
    assert all(said == "Bearer t1" for path, said, _ in listener.received if "/v1/" in path)
    assert [said for path, said, _ in listener.received if "/webhooks/" in path] == ["Bearer s1"]
    body = next(body for path, _, body in listener.received if path == "/v1/metrics")
    decoded = decode_metrics(body, PROTOBUF, "gzip", accumulated=Accumulated())
    assert decoded.taken > 0
    assert "alert at" in result.stdout


def test_a_busy_service_gets_the_request_again(listener):
    listener.statuses = [503]
    assert run("--to", listener.url).exit_code == 0
    assert listener.received[0] == listener.received[1]


def test_a_refusal_is_told_with_the_address_and_what_to_do(listener):
    listener.statuses = [401]
    refused = run("--to", listener.url).exception
    assert isinstance(refused, SourceUnavailable)
    assert f"{listener.url}/v1/metrics: answers 401; give --token or --secret" in str(refused)


def test_nobody_there_is_told_in_one_line():
    refused = run("--to", "http://127.0.0.1:9").exception
    assert isinstance(refused, SourceUnavailable)
    assert "is the service running there?" in str(refused)


def test_an_address_that_is_none_is_refused():
    refused = run("--to", "localhost").exception
    assert isinstance(refused, InvalidInput)
    assert "--to" in str(refused)
