"""Approvals and the switch over HTTP: who may decide, what a stale answer gets, what is left."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import httpx
import pytest
from approvals import NOON, Rehearsed, action, approval
from web import asking

from aiops.app.tokens import issue
from aiops.bootstrap.service import Service, in_memory
from aiops.errors import ToolFailed
from aiops.model.access import Role
from aiops.settings import Settings
from aiops.store.clock import ManualClock
from aiops.web.app import create

Client = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture
def service() -> Service:
    return in_memory(Settings(), ManualClock(NOON))


@pytest.fixture
def client(service: Service) -> Client:
    """Opens a client with a token of a role, by default named as the role."""

    def opened(
        role: Role, name: str = "", rehearsal: Rehearsed | None = None
    ) -> AbstractContextManager[httpx.Client]:
        entropy = (name or role).encode().ljust(32, b".")
        kept = service
        made = issue(kept.tokens, kept.ids, kept.clock, entropy, name or role, role, by="test")
        app = create(service, rehearsal=rehearsal)
        return asking(app, Authorization=f"Bearer {made.secret}")

    return opened


def answer(decision: str = "approve", **more: object) -> dict[str, object]:
    return {"decision": decision, "action_hash": action().hash, "reason": "because", **more}


def test_an_approval_is_shown_with_all_that_whoever_decides_has_to_see(
    service: Service, client: Client
) -> None:
    service.approvals.file(approval())
    with client("viewer") as api:
        shown = api.get("/api/v1/approvals/apr-1").json()
        listed = api.get("/api/v1/approvals", params={"state": "open"}).json()
    assert shown["diff"] == action().preview.diff
    assert shown["action_hash"] == action().hash
    assert shown["targets"] == [
        {"cluster": "prod", "namespace": "shop", "kind": "Deployment", "name": "web"}
    ]
    assert shown["arguments"]["replicas"] == 5
    assert shown["undo"] == {"tool": "kubernetes.scale", "arguments": {"replicas": 3}}
    assert listed["approvals"] == [shown]


def test_what_is_approved_is_kept_audited_and_told_on_the_bus(
    service: Service, client: Client
) -> None:
    service.approvals.file(approval())
    with client("responder", "ana") as api:
        done = api.post("/api/v1/approvals/apr-1", json=answer())
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    assert service.approvals.get("apr-1").decided_by == "ana"
    assert "approval.approved" in [e.kind for e in service.events.subscribe(idle_s=0)]
    (*_, last) = [entry for _, entry in service.audit.entries()]
    assert (last.actor, last.action, last.outcome) == ("ana", "approval.approve", "done")
    assert last.target == "prod/shop/Deployment/web"


@pytest.mark.parametrize(
    ("role", "name"), [("viewer", "eve"), ("admin", "investigator")], ids=["viewer", "requester"]
)
def test_who_may_not_decide_is_told_why_and_audited(
    service: Service, client: Client, role: Role, name: str
) -> None:
    service.approvals.file(approval())
    with client(role, name) as api:
        refused = api.post("/api/v1/approvals/apr-1", json=answer())
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")
    assert service.approvals.get("apr-1").state == "pending"
    (*_, last) = [entry for _, entry in service.audit.entries()]
    assert (last.actor, last.outcome.partition(":")[0]) == (name, "refused")


def test_an_approval_that_is_not_there_is_404(client: Client) -> None:
    with client("admin") as api:
        assert api.get("/api/v1/approvals/apr-9").status_code == 404
        assert api.post("/api/v1/approvals/apr-9", json=answer()).status_code == 404


def test_another_hash_is_409_with_the_approval_to_look_at(service: Service, client: Client) -> None:
    service.approvals.file(approval())
    with client("responder") as api:
        stale = api.post("/api/v1/approvals/apr-1", json=answer(action_hash="0" * 64))
    assert stale.status_code == 409
    assert stale.json()["approval"]["action_hash"] == action().hash
    assert stale.json()["approval"]["state"] == "pending"


def test_an_object_that_drifted_is_409_with_the_new_diff_which_can_be_approved(
    service: Service, client: Client
) -> None:
    service.approvals.file(approval())
    with client("responder", rehearsal=Rehearsed(lambda _: action(was=4))) as api:
        stale = api.post("/api/v1/approvals/apr-1", json=answer())
        assert stale.status_code == 409
        new = stale.json()["approval"]
        assert "-  replicas: 4" in new["diff"]
        again = answer(action_hash=new["action_hash"])
        assert api.post(f"/api/v1/approvals/{new['id']}", json=again).json()["state"] == "approved"
        late = api.post("/api/v1/approvals/apr-1", json=answer())
    assert late.status_code == 409
    assert late.json()["approval"]["id"] == new["id"]


def test_modified_arguments_come_back_as_an_approval_of_their_own(
    service: Service, client: Client
) -> None:
    service.approvals.file(approval())
    looked = Rehearsed(lambda arguments: replace(action(4), arguments=arguments))
    with client("responder", "ana", looked) as api:
        new = api.post(
            "/api/v1/approvals/apr-1", json=answer("modify", arguments={"replicas": 4})
        ).json()
    assert (new["state"], new["requested_by"]) == ("pending", "ana")
    assert new["arguments"] == {"replicas": 4}
    assert new["action_hash"] != action().hash
    assert service.approvals.get("apr-1").superseded_by == new["id"]


@pytest.mark.parametrize(
    ("kind", "status"), [("denied", 422), ("invalid", 422), ("unreachable", 503), ("gone", 409)]
)
def test_what_the_tool_says_against_it_is_the_answer(
    service: Service, client: Client, kind: str, status: int
) -> None:
    service.approvals.file(approval())
    failing = Rehearsed(ToolFailed(kind, "Deployment shop/web cannot be read; look at it"))
    with client("responder", rehearsal=failing) as api:
        refused = api.post("/api/v1/approvals/apr-1", json=answer())
    assert refused.status_code == status
    assert "shop/web" in refused.json()["error"]["message"]
    assert service.approvals.get("apr-1").state == "pending"


@pytest.mark.parametrize(
    "wrong",
    [
        {"decision": "yes"},
        {"action_hash": "0" * 63},
        {"action_hash": action().hash.upper()},
        {"reason": "x" * 10_001},
        {"arguments": "{}"},
        {"mode": "approve"},
    ],
    ids=["decision", "short", "capitals", "long", "arguments", "unknown"],
)
def test_an_answer_that_cannot_be_used_is_422_and_decides_nothing(
    service: Service, client: Client, wrong: dict[str, object]
) -> None:
    service.approvals.file(approval())
    with client("admin") as api:
        assert api.post("/api/v1/approvals/apr-1", json=answer(**wrong)).status_code == 422
    assert service.approvals.get("apr-1").state == "pending"


def test_the_list_says_how_often_people_agree_with_shadow_mode(
    service: Service, client: Client
) -> None:
    for number in range(3):
        service.approvals.file(approval(f"apr-{number}", mode="shadow", run=f"run-{number}"))
    with client("responder") as api:
        assert api.get("/api/v1/approvals").json()["shadow"]["share"] is None
        for number, decision in enumerate(("approve", "reject")):
            api.post(f"/api/v1/approvals/apr-{number}", json=answer(decision))
        page = api.get("/api/v1/approvals", params={"limit": 1}).json()
        older = api.get("/api/v1/approvals", params={"before": page["next"]}).json()
    assert page["shadow"] == {"agreed": 1, "judged": 2, "waiting": 1, "lapsed": 0, "share": 0.5}
    assert [each["id"] for each in older["approvals"]] == ["apr-1", "apr-0"]


def test_a_responder_stops_all_writes_and_an_admin_lets_them_pass(client: Client) -> None:
    with client("responder") as responder, client("admin") as admin, client("viewer") as viewer:
        stop = {"engaged": True, "reason": "wrong cluster"}
        assert viewer.post("/api/v1/switch", json=stop).status_code == 403
        assert responder.post("/api/v1/switch", json={"engaged": True}).status_code == 422
        assert responder.post("/api/v1/switch", json=stop).json()["by"] == "responder"
        assert admin.post("/api/v1/switch", json=stop).json()["by"] == "responder"
        assert viewer.get("/api/v1/switch").json()["reason"] == "wrong cluster"
        release = {"engaged": False}
        assert responder.post("/api/v1/switch", json=release).status_code == 403
        assert viewer.get("/api/v1/switch").json()["engaged"] is True
        assert admin.post("/api/v1/switch", json=release).json()["engaged"] is False
        assert admin.post("/api/v1/switch", json=release).status_code == 409
