"""A service whose settings say ``policy = "llm"``: its model asks the service's own toolsets."""

from datetime import timedelta

from advised import NAME, verdict
from scripted_model import Asked, Reply, calls, scripted
from web import asking

from aiops.agents.policies.named import LLM
from aiops.app.incident_reports import job_for
from aiops.bootstrap.background import Triaging
from aiops.bootstrap.durable import durable
from aiops.bootstrap.working import handlers
from aiops.ingest.replay import alert
from aiops.model.incident import IncidentQuery
from aiops.settings import IncidentSettings, Settings
from aiops.store.clock import ManualClock
from aiops.web.app import create
from aiops_datasets.synthetic import plant, specified

TOOL = "telemetry.services"


def looks_first(asked: Asked) -> Reply:
    """Asks which services there are, then says what it thinks."""
    if any(one["role"] == "tool" for one in asked.body["messages"]):
        return verdict(1, ("it changed first", ["E1"]))
    return calls((TOOL, {}))


def test_a_model_asks_configured_tools_through_the_gateway(sqlite_url: str) -> None:
    case = plant(specified("synthetic:11:cpu")).data
    assert case.trigger.at is not None
    clock = ManualClock(case.trigger.at + timedelta(minutes=1))
    with scripted(looks_first) as model:
        chosen = Settings(
            database_url=sqlite_url,
            incidents=IncidentSettings(settle_s=0),
            policy=LLM,
            model={"base_url": model.url, "small": {"name": NAME}, "ask": "always"},
            tools={"telemetry": {"kind": "telemetry"}},
        )
        with durable(chosen, clock=clock) as service:
            service.telemetry.append(case.window)
            body = alert(case.trigger, case.id, case.trigger.at)
            with asking(create(service, dev=True)) as client:
                assert client.post("/webhooks/generic", content=body).is_success
            Triaging(service)()
            (opened,) = service.incidents.find(IncidentQuery())
            job = job_for(opened)
            handlers(service)[job.kind](job)
            (made,) = service.investigations.newest(opened.id)
            audit = [row for _, row in service.audit.entries() if row.action == TOOL]
    report = made.report
    assert report.usage.llm_calls == 2
    assert report.failed_steps == ()
    (found,) = [item for item in report.evidence if item.kind == "tool"]
    assert found.ref.startswith(TOOL)
    assert len(audit) == 1
    told = next(one for one in model.asked[-1].body["messages"] if one["role"] == "tool")
    assert f"[{found.id}]" in told["content"]
    assert report.root_causes[0].entity.name in told["content"]
