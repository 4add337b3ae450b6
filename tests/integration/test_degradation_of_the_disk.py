"""A disk that is really full: webhooks say so, nothing accepted is lost, and it goes on by itself.

Where nobody may mount a disk, as in most containers, what is left is the file that may not grow:
``test_degradation_of_the_service.py``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from service_process import Served, alert, served, wait
from small_disk import SmallDisk, may_mount, small_disk

FAT = "x" * 30_000


def send(service: Served, instance: str) -> httpx.Response:
    body = alert(instance)
    body["alerts"][0]["annotations"] = {"note": FAT}
    return service.client.post("/webhooks/alertmanager", json=body)


def kept(service: Served) -> set[str]:
    found = service.client.get("/api/v1/alerts", params={"limit": 200}).json()["alerts"]
    return {dict(each["alert"]["labels"])["instance"] for each in found}


def fills_up_and_has_room_again(
    disk: SmallDisk, service: Served, recover: Callable[[], None]
) -> None:
    assert send(service, "before").status_code == 202
    accepted, refused = {"before"}, list[httpx.Response]()
    disk.fill()

    def one_is_refused() -> bool:
        answer = send(service, f"during-{len(accepted)}")
        if answer.status_code == 202:
            accepted.add(f"during-{len(accepted)}")
        else:
            refused.append(answer)
        return bool(refused)

    wait(one_is_refused, 120)
    assert refused[0].status_code == 503
    assert refused[0].headers["Retry-After"]
    ready = service.client.get("/readyz")
    assert ready.status_code == 503
    assert "webhooks answer 503" in str(ready.json()["problems"])
    disk.make_room()
    recover()
    wait(lambda: send(service, "after").status_code == 202, 120)
    wait(lambda: service.client.get("/readyz").status_code == 200, 120)
    wait(lambda: kept(service) >= {*accepted, "after"}, 120)
    assert "disk" in refused[0].text or "server" in refused[0].text


if may_mount():

    def test_a_full_disk_under_sqlite_loses_nothing_and_is_over_with_room(tmp_path: Path) -> None:
        with small_disk(16) as disk:
            url = f"sqlite:///{disk.folder}/aiops.db"
            with served(tmp_path, AIOPS_DATABASE_URL=url) as service:
                fills_up_and_has_room_again(disk, service, lambda: None)

    def test_a_full_disk_under_postgresql_loses_nothing_and_is_over_with_room(
        own_postgres: Callable[..., Any], tmp_path: Path, monkeypatch: Any
    ) -> None:
        with small_disk(160) as disk:
            monkeypatch.setattr("tempfile.tempdir", str(disk.folder))
            server = own_postgres("min_wal_size=32MB", "max_wal_size=48MB")
            monkeypatch.undo()

            def recover() -> None:
                if not server.running:  # it gives up where it cannot write its log
                    server.start()

            with served(tmp_path, AIOPS_DATABASE_URL=server.url()) as service:
                fills_up_and_has_room_again(disk, service, recover)
            server.close()
