"""The API: incidents read and handled, by whom, and what is said where it cannot be done."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs
from web import asking

from aiops.app import tokens
from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.intake import take_in
from aiops.bootstrap.service import Service, in_memory
from aiops.model.access import Role
from aiops.model.alert import Alert, Delivery
from aiops.model.entity import Entity
from aiops.settings import Settings, WebSettings
from aiops.store.ids import CountedIds
from aiops.web.app import create

NOW = datetime.now(UTC)


def alert(service: str, name: str = "TooSlow", severity: str = "SEV2") -> Alert:
    labels = (("alertname", name), ("service", service))
    return Alert(
        "prom",
        f"{service}/{name}",
        "firing",
        name,
        labels,
        (),
        NOW,
        severity=severity,  # type: ignore[arg-type]
        entity=Entity("service", service),
        summary=f"{name} on {service}",
    )


def take(service: Service, *alerts: Alert) -> None:
    service.inbox.put([Delivery(service.ids.new("del"), "prom", service.clock.now(), alerts)])
    rules = Grouping(**service.settings.incidents.model_dump())
    take_in(service.incidents, Neighbours(None, 0), rules, service.clock, service.ids)


@pytest.fixture
def service() -> Service:
    settings = Settings(web=WebSettings(requests_per_minute=100_000))
    made = replace(in_memory(settings), ids=CountedIds())
    take(made, alert("cart"))
    take(made, alert("web", severity="SEV1"))
    return made


@pytest.fixture
def api(service: Service) -> Iterator[httpx.Client]:
    with asking(create(service, dev=True)) as client:
        client.base_url = client.base_url.join("/api/v1/")
        yield client


def secret_of(service: Service, role: Role, name: str = "ada") -> str:
    made = tokens.issue(
        service.tokens,
        service.ids,
        service.clock,
        bytes(range(32)) + role.encode(),
        name,
        role,
        by="test",
    )
    return made.secret


def first(api: httpx.Client, **filters: object) -> dict[str, object]:
    found: dict[str, object] = api.get("incidents", params=filters).json()["incidents"][0]
    return found


def test_incidents_are_filtered_and_paged_newest_first(api: httpx.Client) -> None:
    page = api.get("incidents", params={"limit": 1}).json()
    assert page["incidents"][0]["services"] == ["web"]
    rest = api.get("incidents", params={"limit": 1, "before": page["next"]}).json()
    assert rest["incidents"][0]["services"] == ["cart"]
    assert rest["next"] is None
    assert first(api, severity="SEV2")["services"] == ["cart"]
    assert first(api, text="ON CART")["services"] == ["cart"]
    assert api.get("incidents", params={"status": "resolved"}).json()["incidents"] == []


def test_every_act_is_a_line_in_the_timeline_and_one_in_the_audit_log(
    api: httpx.Client, service: Service
) -> None:
    incident = first(api)["id"]
    steps = [
        ("acknowledge", None, "acknowledged"),
        ("assign", {"assignee": "ada"}, "assigned"),
        ("comment", {"text": "looking"}, "comment"),
        ("severity", {"severity": "SEV3"}, "severity"),
        ("unacknowledge", None, "acknowledged"),
        ("resolve", {"reason": "fixed"}, "resolved"),
        ("reopen", None, "reopened"),
        ("investigate", None, "comment"),
    ]
    for path, body, kind in steps:
        answer = api.post(f"incidents/{incident}/{path}", json=body)
        assert answer.status_code == 200, answer.text
        entries = api.get(f"incidents/{incident}/timeline").json()["entries"]
        assert entries[-1]["kind"] == kind
        assert entries[-1]["actor"] == "developer"
    assert [entry.action for _, entry in service.audit.entries()] == [
        "incident.acknowledged",
        "incident.assigned",
        "incident.comment",
        "incident.severity",
        "incident.unacknowledged",
        "incident.resolved",
        "incident.reopened",
        "incident.investigation_requested",
    ]


@pytest.mark.parametrize("by", ["header", "body"])
def test_an_act_on_an_older_revision_is_409_and_says_the_current_one(
    api: httpx.Client, by: str
) -> None:
    incident = first(api)["id"]
    seen = api.get(f"incidents/{incident}")
    revision = seen.json()["revision"]
    assert seen.headers["ETag"] == f'"{revision}"'
    api.post(f"incidents/{incident}/comment", json={"text": "meanwhile"})
    given = {"headers": {"If-Match": f'"{revision}"'}} if by == "header" else {}
    body = {} if by == "header" else {"revision": revision}
    answer = api.post(f"incidents/{incident}/acknowledge", json=body, **given)  # type: ignore[arg-type]
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "changed_meanwhile"
    assert answer.json()["error"]["revision"] == revision + 1
    assert first(api)["status"] == "triggered"


def test_what_cannot_be_done_now_is_409_and_says_what_can(api: httpx.Client) -> None:
    incident = first(api)["id"]
    answer = api.post(f"incidents/{incident}/reopen")
    assert answer.status_code == 409
    assert "is triggered" in answer.json()["error"]["message"]


def test_alerts_are_split_off_and_merged_back(api: httpx.Client, service: Service) -> None:
    take(service, alert("cart", "Errors"))
    incident = first(api, service="cart")["id"]
    chosen = {"alerts": [{"source": "prom", "fingerprint": "cart/Errors"}]}
    split = api.post(f"incidents/{incident}/split", json=chosen).json()
    assert split["alerts"] == 1
    merged = api.post(f"incidents/{split['id']}/merge", json={"into": incident}).json()
    assert (merged["id"], merged["alerts"]) == (incident, 2)
    shown = api.get(f"incidents/{incident}/alerts").json()["alerts"]
    assert {state["alert"]["labels"]["alertname"] for state in shown} == {"TooSlow", "Errors"}


def test_a_field_that_is_wrong_is_named(api: httpx.Client) -> None:
    incident = first(api)["id"]
    answer = api.post(f"incidents/{incident}/severity", json={"severity": "SEV9"})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "severity"
    unknown = api.post(f"incidents/{incident}/comment", json={"text": "a", "txet": "b"})
    assert unknown.json()["error"]["field"] == "txet"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"content": b"{bad", "headers": {"Content-Type": "application/json"}}, "not JSON"),
        ({"content": b"{}", "headers": {"Content-Type": "text/plain"}}, "Content-Type"),
        ({"json": []}, "a JSON object"),
        ({}, "send the body as a JSON object"),
    ],
    ids=["broken", "other-type", "list", "none"],
)
def test_a_body_that_cannot_be_read_is_told_how_to_send_it(
    api: httpx.Client, sent: dict[str, Any], said: str
) -> None:
    answer = api.post("silences", **sent)
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


def test_a_filter_that_is_wrong_is_named_without_its_types(api: httpx.Client) -> None:
    error = api.get("incidents", params={"status": "bad"}).json()["error"]
    assert error["field"] == "status.0"
    assert error["message"].startswith("status.0: Input should be")


@pytest.mark.parametrize("path", ["/healthz", "/", "/api/v1/incidents", "/api/v1/events"])
def test_whoever_asks_for_the_head_of_an_answer_gets_it_without_a_body(
    service: Service, path: str
) -> None:
    with asking(create(service, dev=True)) as client:
        head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")


def test_the_address_of_all_incidents_leads_to_their_list(service: Service) -> None:
    with asking(create(service, dev=True)) as client:
        answer = client.get("/incidents?status=resolved")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?status=resolved")


def test_what_takes_no_get_has_no_head(service: Service) -> None:
    with asking(create(service, dev=True)) as client:
        assert client.head("/webhooks/alertmanager").status_code == 405
        assert client.put("/healthz").headers["Allow"] == "GET, HEAD"


def test_a_silence_is_made_listed_tried_and_ended(api: httpx.Client) -> None:
    matchers = [{"label": "service", "value": "web"}]
    body = {
        "matchers": matchers,
        "ends_at": (NOW + timedelta(hours=1)).isoformat(),
        "comment": "deploy",
        "maintenance": True,
    }
    made = api.post("silences", json=body)
    assert made.status_code == 201
    number = made.json()["id"]
    assert api.get("silences", params={"maintenance": True}).json()["silences"][0]["id"] == number
    assert api.get("silences", params={"maintenance": False}).json()["silences"] == []
    tried = api.post("preview", json={"silence": matchers}).json()
    assert (tried["silenced"], len(tried["incidents"])) == (1, 1)
    assert api.delete(f"silences/{number}").status_code == 200
    assert api.delete(f"silences/{number}").status_code == 409
    assert api.get("silences", params={"active": True}).json()["silences"] == []


def test_a_change_is_kept_and_noted_in_the_open_incident_once(api: httpx.Client) -> None:
    body = {
        "service": "web",
        "description": "v2 rolled out",
        "kind": "deploy",
        "at": (NOW - timedelta(minutes=5)).isoformat(),
    }
    incident = first(api, service="web")["id"]
    assert api.post("changes", json=body).json()["incidents"] == [incident]
    assert api.post("changes", json=body).json()["incidents"] == []
    (kept,) = api.get("changes", params={"service": "web"}).json()["changes"]
    assert kept["description"] == "v2 rolled out"
    entries = api.get(f"incidents/{incident}/timeline").json()["entries"]
    assert [entry["kind"] for entry in entries].count("change") == 1


def test_a_postmortem_is_drafted_as_markdown(api: httpx.Client) -> None:
    answer = api.get(f"incidents/{first(api)['id']}/postmortem.md")
    assert answer.headers["Content-Type"].startswith("text/markdown")
    assert "TooSlow on web" in answer.text


def test_an_incident_without_a_report_says_so(api: httpx.Client) -> None:
    assert api.get(f"incidents/{first(api)['id']}/report").status_code == 404


def test_without_a_token_nothing_is_told(service: Service) -> None:
    with asking(create(service)) as client:
        for path in ("incidents", "alerts", "events", "audit", "reports/x"):
            answer = client.get(f"/api/v1/{path}")
            assert answer.status_code == 401, path
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("role", "expected"),
    [("viewer", (200, 403, 403)), ("responder", (200, 200, 403)), ("admin", (200, 200, 200))],
)
def test_a_role_may_do_what_the_one_before_may(
    service: Service, role: Role, expected: tuple[int, ...]
) -> None:
    bearer = {"Authorization": f"Bearer {secret_of(service, role)}"}
    with asking(create(service), **bearer) as client:
        incident = client.get("/api/v1/incidents").json()["incidents"][0]["id"]
        statuses = (
            client.get("/api/v1/alerts").status_code,
            client.post(f"/api/v1/incidents/{incident}/acknowledge").status_code,
            client.get("/api/v1/tokens").status_code,
        )
    assert statuses == expected


def test_a_token_made_over_the_api_works_until_it_is_revoked_and_is_kept_as_a_digest(
    service: Service,
) -> None:
    bearer = {"Authorization": f"Bearer {secret_of(service, 'admin')}"}
    with asking(create(service), **bearer) as client:
        made = client.post("/api/v1/tokens", json={"name": "bob", "role": "viewer"}).json()
        his = {"Authorization": f"Bearer {made['secret']}"}
        assert client.get("/api/v1/alerts", headers=his).status_code == 200
        assert client.delete(f"/api/v1/tokens/{made['token']['id']}").status_code == 200
        assert client.get("/api/v1/alerts", headers=his).status_code == 401
        assert made["secret"] not in client.get("/api/v1/tokens").text
    assert made["secret"] not in repr(service.tokens.all())


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    service = in_memory(Settings(web=WebSettings(requests_per_minute=3)))
    bearer = {"Authorization": f"Bearer {secret_of(service, 'viewer')}"}
    with asking(create(service), **bearer) as client:
        statuses = [client.get("/api/v1/alerts").status_code for _ in range(4)]
        refused = client.get("/api/v1/alerts")
    assert statuses == [200, 200, 200, 429]
    assert 0 < int(refused.headers["Retry-After"]) <= 20


def test_guessing_tokens_uses_up_the_address() -> None:
    service = in_memory(Settings(web=WebSettings(requests_per_minute=3)))
    with asking(create(service)) as client:
        statuses = [
            client.get("/api/v1/alerts", headers={"Authorization": f"Bearer x{n}"}).status_code
            for n in range(4)
        ]
    assert statuses == [401, 401, 401, 429]


def test_a_page_of_another_site_can_change_nothing(service: Service) -> None:
    with asking(create(service, dev=True)) as client:
        path = f"/api/v1/incidents/{service.incidents.alerts()[0].incident}/acknowledge"
        foreign = client.post(path, headers={"Origin": "https://evil.example.org"})
        rebound = client.post(path, headers={"Host": "evil.example.org"})
        own = client.post(path, headers={"Origin": str(client.base_url).rstrip("/")})
    assert (foreign.status_code, rebound.status_code, own.status_code) == (403, 400, 200)


def test_answers_carry_guards_and_a_request_id(api: httpx.Client) -> None:
    answer = api.get("incidents", headers={"X-Request-Id": "abc-1", "Origin": "https://x.org"})
    assert answer.headers["X-Request-Id"] == "abc-1"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_defect_is_500_without_a_traceback(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret detail")

    app = create(service, dev=True)
    monkeypatch.setattr(type(service.incidents), "alerts", broken)
    with capture_logs() as log, asking(app) as client:
        answer = client.get("/api/v1/alerts")
    assert "defect" in [line["event"] for line in log]
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.headers["X-Request-Id"] in answer.json()["error"]["message"]


def test_a_filter_that_stands_twice_is_refused_and_one_that_takes_many_is_not(
    api: httpx.Client,
) -> None:
    refused = api.get("incidents?text=a&text=b")
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "text")
    assert api.get("incidents?status=triggered&status=resolved").status_code == 200
