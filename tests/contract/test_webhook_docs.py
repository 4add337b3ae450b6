"""Every line of docs/webhooks.md does what the page says; a shell runs it, we play curl."""

import re
from datetime import UTC, datetime

import pytest
from alert_parsers import ALERT_PARSERS
from documented_webhooks import NOW, Page, named

from aiops.errors import NotAuthentic
from aiops.ingest.webhooks import (
    datadog,
)
from aiops.ingest.webhooks.authentic import Credentials, authentic
from aiops.ingest.webhooks.mapping import read_mapping
from aiops.ports.webhook import Push

PAGE = Page("webhooks.md")
SECRET = "change-me"


@pytest.mark.parametrize("block", PAGE.tries, ids=named)
def test_a_line_of_the_page_is_let_in_and_is_an_alert_that_fires(block, tmp_path):
    push = PAGE.sent_by(block, tmp_path)
    webhook = PAGE.webhooks[push.source]
    secret = webhook.secret.get_secret_value() if webhook.secret else SECRET
    credentials = Credentials(webhook.kind, webhook.auth, secret)
    authentic(credentials, push.headers, push.body, NOW)
    (alert,) = ALERT_PARSERS[webhook.kind](push)
    assert alert.status == "firing"
    assert alert.entity is not None


@pytest.mark.parametrize("block", PAGE.tries, ids=named)
def test_the_same_line_with_another_secret_is_not_let_in(block, tmp_path):
    push = PAGE.sent_by("export SECRET=another\n" + block, tmp_path)
    webhook = PAGE.webhooks[push.source]
    if webhook.auth == "none":
        return
    with pytest.raises(NotAuthentic):
        authentic(Credentials(webhook.kind, webhook.auth, SECRET), push.headers, push.body, NOW)


def test_every_webhook_of_the_page_can_be_tried_but_the_one_only_sns_can_sign():
    assert {named(block) for block in PAGE.tries} == set(PAGE.webhooks) - {"cloudwatch"}
    assert {webhook.kind for webhook in PAGE.webhooks.values()} == set(ALERT_PARSERS)


def test_the_template_for_datadog_is_read_to_the_last_name():
    (template,) = PAGE.blocks("json")
    values = {"$DATE": "1779288000000", "$ALERT_TRANSITION": "Recovered", "$EVENT_TITLE": "CPU"}
    filled = re.sub(r"\$[A-Z_]+", lambda found: values.get(found[0], found[0]), template)
    (alert,) = datadog.parse(Push("datadog", filled.encode(), {}, NOW))
    assert alert.status == "resolved"
    assert alert.starts_at == datetime(2026, 5, 20, 14, 40, tzinfo=UTC)


def test_the_mapping_of_the_page_is_one():
    _, mapping = PAGE.blocks("yaml")
    assert read_mapping(mapping).alerts is not None
