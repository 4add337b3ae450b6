"""Several incidents at once: none waits for the slow source of another."""

import json
import re
import threading
from pathlib import Path

from service_process import alert, served, wait
from telemetry_servers import Asked, prometheus, serving

SERVICES = ("ledger", "mailer", "scanner")
PATIENCE_S = 60


def test_three_incidents_with_a_slow_source_are_investigated_side_by_side(tmp_path: Path) -> None:
    asked_about, all_three = set[str](), threading.Event()

    def answers_once_all_are_asked_about(asked: Asked) -> None:
        text = json.dumps(asked.params)
        found = {service for service in SERVICES if re.search(rf"\b{service}\b", text)}
        asked_about.update(found)
        if asked_about.issuperset(SERVICES):
            all_three.set()
        if found:
            all_three.wait(PATIENCE_S)

    with serving(prometheus) as source:
        source.mood = answers_once_all_are_asked_about
        sources = {"prometheus": {"kind": "prometheus", "url": source.url, "timeout_s": PATIENCE_S}}
        with served(tmp_path, sources=sources) as service:
            for name in SERVICES:
                answer = service.client.post("/webhooks/alertmanager", json=alert(name, name))
                answer.raise_for_status()

            wait(lambda: len([one for one in service.incidents() if one["report"]]) == 3, 2 * 60)

    assert all_three.is_set(), f"only {sorted(asked_about)} were asked about at once"
