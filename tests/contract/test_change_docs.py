"""Every line of docs/changes.md does what the page says; a shell runs it, we play curl."""

import json
import os
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from aiops.errors import NotAuthentic
from aiops.ingest.changes.mapped import mapped
from aiops.ingest.changes.names import ServiceNames, read_names
from aiops.ingest.webhooks.authentic import Credentials, authentic
from aiops.ports.webhook import Push
from aiops.settings import WebhookSettings

PAGE = (Path(__file__).parents[2] / "docs" / "changes.md").read_text(encoding="utf-8")
NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


WEBHOOKS = {
    name: WebhookSettings(**table)
    for block in blocks("toml")
    for name, table in tomllib.loads(block)["webhooks"].items()
}
EXPORTS, *TRIES = blocks("sh")


def sent_by(block: str, folder: Path) -> tuple[str, Push]:
    """What curl is asked to send: the webhook's name, and the request."""
    curl = folder / "curl"
    curl.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    curl.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-euc", EXPORTS + block],
        env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    arguments = json.loads(done.stdout)
    pairs = list(pairwise(arguments))
    said = [text.split(": ", 1) for flag, text in pairs if flag == "-H"]
    headers = {name.lower(): value for name, value in said}
    (address,) = [text for text in arguments if text.startswith("http://127.0.0.1")]
    (body,) = [text for flag, text in pairs if flag == "-d"]
    name = address.rsplit("/webhooks/", 1)[1]
    return name, Push(name, body.encode(), headers, NOW)


def named(block: str) -> str:
    return re.search(r"/webhooks/(\w+)", block)[1]


@pytest.mark.parametrize("block", TRIES, ids=named)
def test_a_line_of_the_page_is_let_in_and_is_a_change_of_web(block, tmp_path):
    name, push = sent_by(block, tmp_path)
    webhook = WEBHOOKS[name]
    authentic(Credentials(webhook.kind, webhook.auth, "change-me"), push.headers, push.body, NOW)
    (change,) = mapped(webhook.kind, ServiceNames())(push)
    assert change.entity.service_name == "web"
    assert change.at < NOW


@pytest.mark.parametrize("block", TRIES, ids=named)
def test_the_same_line_with_another_secret_is_not_let_in(block, tmp_path):
    name, push = sent_by("export SECRET=another\n" + block, tmp_path)
    credentials = Credentials(WEBHOOKS[name].kind, WEBHOOKS[name].auth, "change-me")
    with pytest.raises(NotAuthentic):
        authentic(credentials, push.headers, push.body, NOW)


def test_every_webhook_of_the_page_can_be_tried():
    assert {named(block) for block in TRIES} == set(WEBHOOKS)


def test_the_template_for_argo_cd_asks_for_every_field_that_is_read():
    template = next(block for block in blocks("yaml") if "template.aiops-synced" in block)
    body = next(line for line in template.splitlines() if line.strip().startswith('{"app"'))
    filled = re.sub(r"\{\{toJson[^}]*\}\}", '"said"', body).replace("{{", "").replace("}}", "")
    (line,) = [block for block in TRIES if named(block) == "argocd"]
    assert set(json.loads(filled)) == set(json.loads(re.search(r"-d '(.*)'", line)[1]))


def test_the_names_of_the_page_are_a_mapping():
    names = read_names(blocks("yaml")[0])
    assert names.services("acme/platform", "production") == ("web", "cart")
    assert names.services("acme/platform", "staging") == ()
