"""An alert comes in, and people watch what its investigation does before there is a report."""

import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from advised import NAME, verdict
from scripted_model import scripted
from service_process import Served, served, wait
from streams import Heard, listening

from aiops.ingest.replay import alert
from aiops_datasets.synthetic import plant, specified

CASE = "synthetic:11:cpu"
PATIENCE_S = 180.0


def until(stream: Iterator[Heard], kind: str) -> list[Heard]:
    """What is heard, comments left out, to the first of ``kind``."""
    heard: list[Heard] = []
    for each in stream:
        heard += [each] if each.kind else []
        if each.kind == kind:
            return heard
    raise AssertionError(f"the stream ended before {kind!r}: {heard}")


def alerted(service: Served) -> str:
    """The incident of an alert about the case, as if it happened in the last minutes."""
    trigger = plant(specified(CASE)).data.trigger
    body = alert(trigger, CASE, datetime.now(UTC))
    service.client.post("/webhooks/generic", content=body).raise_for_status()
    wait(service.incidents, PATIENCE_S)
    found: str = service.incidents()[0]["id"]
    return found


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_words_of_a_model_are_seen_at_the_service_before_the_report_is_there(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = {"sqlite": None, "postgresql": "postgres_url"}[engine]
    database = {} if url is None else {"AIOPS_DATABASE_URL": request.getfixturevalue(url)}
    case, goes_on = plant(specified(CASE)).data, Event()
    began = datetime.now(UTC) - (case.window.end - case.window.start) - timedelta(seconds=1)
    source = {"kind": "recorded", "case": CASE, "start_at": began.isoformat()}
    answer = verdict(1, ("it was busy before all others", ["E1"]))
    with (
        scripted(replace(answer, goes_on=goes_on)) as model,
        served(
            tmp_path,
            sources={"then": source},
            AIOPS_POLICY="llm",
            AIOPS_MODEL__BASE_URL=model.url,
            AIOPS_MODEL__SMALL__NAME=NAME,
            AIOPS_MODEL__ASK="always",
            AIOPS_MODEL__TIMEOUT_S="300",
            **database,
        ) as service,
    ):
        incident = alerted(service)
        path = f"/api/v1/incidents/{incident}/progress"
        with listening(service.client, f"{path}/events") as stream:
            heard = until(stream, "words")
            assert service.reported() is None
        goes_on.set()
        with listening(service.client, f"{path}/events", after=heard[-1].id) as stream:
            heard += until(stream, "ended")
        wait(service.reported, PATIENCE_S)
        whole = service.client.get(path).json()["moments"]
        page = service.client.get(f"/incidents/{incident}").text
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(60) == 0
    assert [each.id for each in heard] == [each["number"] for each in whole]
    said = "".join(each["text"] for each in whole if each["kind"] == "words")
    assert json.loads(said)["because"][0]["claim"] == "it was busy before all others"
    assert "What the investigation did, step by step" in page
