"""Every line of docs/changes.md does what the page says; a shell runs it, we play curl."""

import json
import re

import pytest
from documented_webhooks import NOW, Page, named

from aiops.errors import NotAuthentic
from aiops.ingest.changes.mapped import mapped
from aiops.ingest.changes.names import ServiceNames, read_names
from aiops.ingest.webhooks.authentic import Credentials, authentic

PAGE = Page("changes.md")


@pytest.mark.parametrize("block", PAGE.tries, ids=named)
def test_a_line_of_the_page_is_let_in_and_is_a_change_of_web(block, tmp_path):
    push = PAGE.sent_by(block, tmp_path)
    webhook = PAGE.webhooks[push.source]
    authentic(Credentials(webhook.kind, webhook.auth, "change-me"), push.headers, push.body, NOW)
    (change,) = mapped(webhook.kind, ServiceNames())(push)
    assert change.entity.service_name == "web"
    assert change.at < NOW


@pytest.mark.parametrize("block", PAGE.tries, ids=named)
def test_the_same_line_with_another_secret_is_not_let_in(block, tmp_path):
    push = PAGE.sent_by("export SECRET=another\n" + block, tmp_path)
    webhook = PAGE.webhooks[push.source]
    credentials = Credentials(webhook.kind, webhook.auth, "change-me")
    with pytest.raises(NotAuthentic):
        authentic(credentials, push.headers, push.body, NOW)


def test_every_webhook_of_the_page_can_be_tried():
    assert {named(block) for block in PAGE.tries} == set(PAGE.webhooks)


def test_the_template_for_argo_cd_asks_for_every_field_that_is_read():
    template = next(block for block in PAGE.blocks("yaml") if "template.aiops-synced" in block)
    body = next(line for line in template.splitlines() if line.strip().startswith('{"app"'))
    filled = re.sub(r"\{\{toJson[^}]*\}\}", '"said"', body).replace("{{", "").replace("}}", "")
    (line,) = [block for block in PAGE.tries if named(block) == "argocd"]
    assert set(json.loads(filled)) == set(json.loads(re.search(r"-d '(.*)'", line)[1]))


def test_the_names_of_the_page_are_a_mapping():
    names = read_names(PAGE.blocks("yaml")[0])
    assert names.services("acme/platform", "production") == ("web", "cart")
    assert names.services("acme/platform", "staging") == ()
