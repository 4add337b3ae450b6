"""What the OpenAPI document says is what the service does: nothing schemathesis finds differs."""

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from pydantic import SecretStr
from schemathesis import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance
from web import serving

from aiops.app.tokens import issue
from aiops.bootstrap.service import in_memory
from aiops.settings import Settings, WebhookSettings, WebSettings
from aiops.web.app import create

HOOK, SECRET = "prom", "open-sesame"
_SERVICE = in_memory(
    Settings(
        web=WebSettings(requests_per_minute=10_000_000, max_telemetry_bytes=1_048_576),
        webhooks={HOOK: WebhookSettings(kind="alertmanager", secret=SecretStr(SECRET))},
    )
)
_ADMIN = issue(_SERVICE.tokens, _SERVICE.ids, _SERVICE.clock, bytes(32), "test", "admin", by="test")
_APP = create(_SERVICE)
schema = schemathesis.openapi.from_dict(_APP.openapi()).exclude(path="/api/v1/events")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(_APP) as found:
        yield found


@schema.parametrize()
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_requests_are_answered_as_documented(case: Case, address: str) -> None:
    case.call_and_validate(
        base_url=address,
        headers={"Authorization": f"Bearer {_ADMIN.secret}"},
        # What fields mean together (a silence that ends before it starts) no schema can say.
        excluded_checks=[positive_data_acceptance],
    )


WEBHOOK = schema["/webhooks/{source}"]["POST"]
WAYS = {
    "202": (HOOK, SECRET, b'{"version": "4", "status": "firing", "alerts": []}'),
    "401": (HOOK, "guess", b"{}"),
    "404": ("nobody", SECRET, b"{}"),
    "413": (HOOK, SECRET, b" " * 1_048_577),
    "422": (HOOK, SECRET, b"no json"),
}


@pytest.mark.parametrize("status", WAYS)
def test_each_answer_of_a_webhook_is_as_documented(status: str, address: str) -> None:
    source, secret, body = WAYS[status]
    case = WEBHOOK.Case(
        path_parameters={"source": source}, body=body, media_type="application/json"
    )
    answer = httpx.post(
        f"{address}/webhooks/{source}",
        content=body,
        headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
        trust_env=False,
    )
    assert str(answer.status_code) == status
    case.validate_response(answer, excluded_checks=[positive_data_acceptance])


def test_every_operation_documents_what_it_may_be_refused_with() -> None:
    document = _APP.openapi()
    answers = {
        (path, method): set(operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert answers["/webhooks/{source}", "post"] == {*WAYS, "503"}
    refusals = {"401", "403", "404", "413", "422", "429", "503"}
    for (path, method), statuses in answers.items():
        if path.startswith(("/api/", "/v1/")):
            assert refusals <= statuses, (path, method)


@pytest.mark.parametrize("path", ["/api/v1/silences", "/v1/traces"])
@pytest.mark.parametrize("says_its_length", [True, False])
def test_a_body_that_is_too_large_is_refused_in_the_shape_of_every_error(
    path: str, says_its_length: bool, address: str
) -> None:
    large = b" " * 1_048_577
    answer = httpx.post(
        f"{address}{path}",
        content=large if says_its_length else iter([large]),
        headers={"Authorization": f"Bearer {_ADMIN.secret}", "Content-Type": "application/json"},
        trust_env=False,
    )
    assert answer.status_code == 413
    error = answer.json()["error"]
    assert error["code"] == "too_large"
    assert "1,048,576 bytes" in error["message"]
    assert answer.headers["X-Request-Id"]
