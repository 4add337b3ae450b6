"""Every line of docs/webhooks.md does what the page says; a shell runs it, we play curl."""

import json
import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from aiops.errors import NotAuthentic
from aiops.ingest.webhooks import (
    alertmanager,
    cloudwatch,
    datadog,
    generic,
    grafana,
    opsgenie,
    pagerduty,
    sentry,
)
from aiops.ingest.webhooks.authentic import Credentials, authentic
from aiops.ingest.webhooks.mapping import read_mapping
from aiops.ports.webhook import AlertParser, Push
from aiops.settings import WebhookSettings

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
SECRET = "change-me"
NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)
PARSERS: dict[str, AlertParser] = {
    "alertmanager": alertmanager.parse,
    "cloudwatch": cloudwatch.parse,
    "datadog": datadog.parse,
    "generic": generic.parse,
    "grafana": grafana.parse,
    "opsgenie": opsgenie.parse,
    "pagerduty": pagerduty.parse,
    "sentry": sentry.parse,
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


WEBHOOKS = {
    name: WebhookSettings(**table)
    for block in blocks("toml")
    for name, table in tomllib.loads(block)["webhooks"].items()
}
EXPORTS, *TRIES = blocks("sh")


@dataclass(frozen=True)
class Request:
    name: str
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def run(tmp_path, request):
    """Run a block of the page; returns the request that curl was asked for."""
    curl = tmp_path / "curl"
    curl.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    curl.chmod(0o755)

    def run(block: str) -> Request:
        done = subprocess.run(
            ["/bin/sh", "-euc", EXPORTS + block],
            env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        arguments = json.loads(done.stdout)
        pairs = list(pairwise(arguments))
        headers = [text.split(": ", 1) for flag, text in pairs if flag == "-H"]
        (url,) = [text for text in arguments if text.startswith("http://127.0.0.1")]
        (body,) = [text for flag, text in pairs if flag == "-d"]
        said = {name.lower(): value for name, value in headers}
        return Request(url.rsplit("/webhooks/", 1)[1], said, body.encode())

    return run


def names(block: str) -> str:
    return re.search(r"/webhooks/(\w+)", block)[1]


@pytest.mark.parametrize("block", TRIES, ids=names)
def test_a_line_of_the_page_is_let_in_and_is_an_alert_that_fires(run, block):
    request = run(block)
    webhook = WEBHOOKS[request.name]
    secret = webhook.secret.get_secret_value() if webhook.secret else SECRET
    credentials = Credentials(webhook.kind, webhook.auth, secret)
    authentic(credentials, request.headers, request.body, NOW)
    (alert,) = PARSERS[webhook.kind](Push(request.name, request.body, request.headers, NOW))
    assert alert.status == "firing"
    assert alert.entity is not None


@pytest.mark.parametrize("block", TRIES, ids=names)
def test_the_same_line_with_another_secret_is_not_let_in(run, block):
    request = run("export SECRET=another\n" + block)
    webhook = WEBHOOKS[request.name]
    if webhook.auth == "none":
        return
    with pytest.raises(NotAuthentic):
        authentic(
            Credentials(webhook.kind, webhook.auth, SECRET), request.headers, request.body, NOW
        )


def test_every_webhook_of_the_page_can_be_tried_but_the_one_only_sns_can_sign():
    assert {names(block) for block in TRIES} == set(WEBHOOKS) - {"cloudwatch"}
    assert {webhook.kind for webhook in WEBHOOKS.values()} == set(PARSERS)


def test_the_template_for_datadog_is_read_to_the_last_name():
    (template,) = blocks("json")
    values = {"$DATE": "1779288000000", "$ALERT_TRANSITION": "Recovered", "$EVENT_TITLE": "CPU"}
    filled = re.sub(r"\$[A-Z_]+", lambda found: values.get(found[0], found[0]), template)
    (alert,) = datadog.parse(Push("datadog", filled.encode(), {}, NOW))
    assert alert.status == "resolved"
    assert alert.starts_at == datetime(2026, 5, 20, 14, 40, tzinfo=UTC)


def test_the_mapping_of_the_page_is_one():
    _, mapping = blocks("yaml")
    assert read_mapping(mapping).alerts is not None
