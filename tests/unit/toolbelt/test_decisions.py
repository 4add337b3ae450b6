"""The decision table: each call of tests/golden/gateway/decisions.txt, on the real tools."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from belt import RULES, Bench, mode
from canary import CANARY_BASE64
from fake_kubernetes import PLANTED, FakeConnection, shop, tools_of

from aiops.model.canonical import canonical
from aiops.model.tool import Capability, Outcome, Stop
from aiops.store.repositories import MemoryBlobs
from aiops.toolbelt.budget import Budget
from aiops.toolbelt.finishing import Finishing
from aiops.toolbelt.freezes import Freeze
from aiops.toolbelt.policy import load_policy
from aiops.toolbelt.results import Results

pytestmark = pytest.mark.anyio
FOLDER = Path(__file__).parents[2] / "golden" / "gateway"
PLACE = '{"cluster": "prod", "namespace": "shop", '
FEWEST = 80


@dataclass(frozen=True)
class Row:
    """One call of the table."""

    what: str
    tool: str
    arguments: str
    given: tuple[str, ...]
    status: str
    reason: str

    @property
    def approval(self) -> str | None:
        found = [word.partition("=")[2] for word in self.given if word.startswith("approval=")]
        return found[0] if found else None

    @property
    def capability(self) -> Capability:
        if "observer" in self.given:
            return "observer"
        return "probe" if "probe" in self.given else "executor"


def rows() -> list[Row]:
    found = []
    for line in (FOLDER / "decisions.txt").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        what, tool, arguments, given, status, reason = (part.strip() for part in line.split(" | "))
        tool = tool.replace("␠", " ").replace("\\u0430", "\u0430")
        if arguments.startswith("+"):
            arguments = (PLACE + arguments[2:]).replace(", }", "}")
        found.append(Row(what, tool, arguments, tuple(given.split()), status, reason))
    return found


ROWS = rows()


def bench(row: Row, api: FakeConnection) -> Bench:
    found = Bench(
        replace(RULES, policy=load_policy(FOLDER / "policy.toml")),
        tools=tools_of(api),
        finish=Finishing(secrets.token_bytes, Results(MemoryBlobs())),
        own=False,
    )
    if "frozen" in row.given:
        now = found.clock.now()
        hour = timedelta(hours=1)
        found.rules = replace(found.rules, freezes=(Freeze("sale", now - hour, now + hour),))
    return found


async def prepared(row: Row, found: Bench, api: FakeConnection) -> str | None:
    """The approval that the row's call is made with, in the state that the row says."""
    kind = row.approval
    if kind is None or kind == "unknown":
        return None if kind is None else "apr-unknown"
    tool, arguments, run = row.tool, row.arguments, "run-1"
    if kind == "other_action" or row.tool == "kubernetes.get":
        tool = "kubernetes.set_config"
        arguments = PLACE + '"name": "settings", "data": {"level": "warn"}}'
    if kind == "other_run":
        run = "run-2"
    found.restarted(
        replace(found.rules, mode="shadow" if kind == "shadow" else "approve", freezes=())
    )
    waits = await found.ask(tool, arguments, run=run)
    assert waits.approval, f"{row.what}: {waits}"
    asked = found.approvals.get(waits.approval)
    changes = {
        "pending": {},
        "rejected": {"state": "rejected", "decided_by": "ann"},
        "expired": {"state": "expired"},
        "own": {"state": "approved", "decided_by": asked.requested_by},
        "forged": {
            "state": "approved",
            "decided_by": "ann",
            "action": replace(asked.action, preview=replace(asked.action.preview, diff="")),
        },
    }.get(kind, {"state": "approved", "decided_by": "ann"})
    assert found.approvals.swap(asked, replace(asked, **changes))  # type: ignore[arg-type]
    if kind == "used":
        yes = found.approvals.get(asked.id)
        assert found.approvals.swap(yes, replace(yes, state="used"))
    if kind == "lapsed":
        found.clock.advance(found.rules.approval_s + 1)
    if kind == "drifted":
        api.objects["/apis/apps/v1/namespaces/shop/deployments/web"]["spec"]["paused"] = True
    return asked.id


async def decided(row: Row, api: FakeConnection) -> tuple[Bench, Outcome, int]:
    found = bench(row, api)
    approval = await prepared(row, found, api)
    before = len(found.rows())
    rules = replace(found.rules, mode="shadow") if "shadow" in row.given else found.rules
    if "spent" in row.given:
        rules = replace(rules, budget=Budget(0, 0, 1))
    found.restarted(rules)
    if "stopped" in row.given:
        found.switch.engage(Stop("ann", "enough", found.clock.now()))
    key = None
    if "key=reused" in row.given:
        key = "k"
        other = PLACE + '"kind": "Pod", "name": "web-0"}'
        await found.ask(row.tool, other, key=key)
        before += 1
    outcome = await found.ask(
        row.tool, row.arguments, capability=row.capability, approval=approval, key=key
    )
    return found, outcome, len(found.rows()) - before


def test_the_table_is_large_and_says_each_thing_once() -> None:
    assert len(ROWS) >= FEWEST
    calls = [(row.tool, row.arguments, row.given) for row in ROWS]
    assert len(set(calls)) == len(calls)


@pytest.mark.parametrize("row", ROWS, ids=[f"{at}-{row.what}" for at, row in enumerate(ROWS)])
async def test_a_call_is_decided_as_the_table_says(row: Row) -> None:
    api = shop()
    found, outcome, left = await decided(row, api)
    assert (outcome.status, outcome.reason) == (
        row.status,
        outcome.reason if row.reason == "-" and row.status != "done" else _reason(row),
    ), outcome.summary
    assert left == 1, "one call, one row"
    assert len(api.changes) == (row.status == "done" and row.approval is not None)
    seen = canonical([outcome.summary, outcome.content or ""])
    seen += canonical([row.detail for _, row in found.audit.entries()])
    assert PLANTED not in seen
    assert CANARY_BASE64 not in seen


def _reason(row: Row) -> str | None:
    return None if row.reason == "-" else row.reason


async def test_logs_are_read_without_the_secrets_in_them() -> None:
    found = bench(ROWS[0], shop())
    asked = PLACE + '"workload": "web"}'
    outcome = await found.ask("kubernetes.logs", asked, capability="probe")
    assert outcome.status == "done", outcome
    assert "the password is" in outcome.summary + (outcome.content or "")
    assert PLANTED not in outcome.summary + (outcome.content or "")


async def test_in_shadow_mode_nothing_of_the_table_changes_anything() -> None:
    api = shop()
    found = Bench(mode("shadow"), tools=tools_of(api), own=False)
    for row in ROWS:
        await found.ask(row.tool, row.arguments, capability=row.capability)
    assert api.changes == []
