"""A lab's pods are processes: they answer, are limited, die, come back, refuse what is wrong."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_lab import PATIENCE_S, alive, eventually, fetch, metric_of, small_lab

from aiops_lab.kubelet.ports import ContainerState
from aiops_lab.lab import Lab
from aiops_lab.net.weather import Link, Lookup
from aiops_lab.topology.model import Behaviour


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with small_lab(tmp_path_factory.mktemp("kiosk")) as up:
        yield up


@pytest.fixture
def calm(lab: Lab) -> Iterator[Lab]:
    """The lab with everything ready; the weather of a test ends with it."""
    lab.wait_ready(PATIENCE_S)
    eventually(lambda: fetch(f"{lab.front_end}/things/1")[0] == 200)
    yield lab
    lab.runtime.network.weather((), ())


def uid_of(lab: Lab, service: str) -> str:
    return next(uid for name, _, uid, _ in lab.orchestrator.pods() if name == service)


def container_of(lab: Lab, uid: str) -> ContainerState:
    return lab.runtime.state(uid).containers[0]


def a_pod(lab: Lab, service: str, uid: str, **changes: Any) -> dict[str, Any]:
    """A pod like those of a service, with something about its container changed."""
    pod = lab.orchestrator.template(service)
    pod["metadata"] |= {"name": uid, "uid": uid}
    pod["spec"]["containers"][0] |= changes
    return pod


def test_a_request_goes_through_every_service(calm: Lab) -> None:
    assert fetch(f"{calm.front_end}/things/3") == (200, '{"ok":true}')


def test_what_is_not_there_is_404_all_the_way(calm: Lab) -> None:
    status, body = fetch(f"{calm.front_end}/things/99")
    assert status == 404
    assert "shelf answered 404" in body


def test_a_killed_process_comes_back_at_once_and_then_with_back_off(calm: Lab) -> None:
    uid = uid_of(calm, "belt")
    first = container_of(calm, uid)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: container_of(calm, uid).restarts == first.restarts + 1)
    eventually(lambda: container_of(calm, uid).ready)
    again = container_of(calm, uid)
    assert (again.last_exit_code, again.last_reason) == (137, "Error")
    assert again.pid is not None
    os.kill(again.pid, signal.SIGKILL)
    eventually(lambda: container_of(calm, uid).reason == "CrashLoopBackOff")
    eventually(lambda: container_of(calm, uid).ready)


def test_memory_over_the_limit_is_killed_for_it(calm: Lab) -> None:
    uid = uid_of(calm, "shelf")
    calm.runtime.strain(uid, "shelf", Behaviour(leak_bytes_s=200 << 20))
    eventually(lambda: container_of(calm, uid).last_reason == "OOMKilled")
    assert container_of(calm, uid).last_exit_code == 137
    eventually(lambda: container_of(calm, uid).ready)


def test_a_process_gets_no_more_cpu_than_its_limit(calm: Lab) -> None:
    uid = uid_of(calm, "shelf")
    pid = container_of(calm, uid).pid
    calm.runtime.strain(uid, "shelf", Behaviour(hog_cores=1.0))
    measured: list[float] = []

    def uses_it_up() -> bool:
        """Where others have the machine it gets less than its limit, so look again."""
        before, began = cpu_seconds(pid), time.monotonic()
        time.sleep(2.0)
        measured.append((cpu_seconds(pid) - before) / (time.monotonic() - began))
        return measured[-1] > 0.1

    time.sleep(0.3)
    eventually(uses_it_up)
    calm.runtime.strain(uid, "shelf", None)
    assert max(measured) < 0.26  # the limit is 0.2


def cpu_seconds(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_delayed_link_delays_only_its_callers(calm: Lab) -> None:
    calm.runtime.network.weather([Link("door", "shelf", delay_s=0.3)], [])
    began = time.monotonic()
    assert fetch(f"{calm.front_end}/things/1")[0] == 200
    assert time.monotonic() - began >= 0.3


def test_a_partition_is_a_timeout_and_heals(calm: Lab) -> None:
    calm.runtime.network.weather([Link("door", "shelf", partition=True)], [])
    status, body = fetch(f"{calm.front_end}/things/1")
    assert status == 504
    assert "no answer in 1 s" in body
    calm.runtime.network.weather((), ())
    assert fetch(f"{calm.front_end}/things/1")[0] == 200


def test_a_reset_link_fails_at_once(calm: Lab) -> None:
    calm.runtime.network.weather([Link(None, "shelf", reset=1.0)], [])
    status, body = fetch(f"{calm.front_end}/things/1")
    assert status == 503
    assert "reset" in body


def test_a_name_that_does_not_resolve_says_so(calm: Lab) -> None:
    calm.runtime.network.weather([], [Lookup("door", None, "NXDOMAIN")])
    # Names are kept for some seconds and connections live on, as everywhere: ask a new pod.
    pod = a_pod(calm, "door", "fresh-door")
    calm.runtime.start("fresh-door", pod)
    eventually(lambda: container_of(calm, "fresh-door").ready)
    ip = calm.runtime.state("fresh-door").ip
    status, body = fetch(f"http://{ip}:{8080 + calm.runtime.shift}/things/1")
    calm.runtime.forget("fresh-door")
    assert status == 503
    assert "lookup shelf: no such host" in body


def test_an_image_nobody_has_is_not_pulled(calm: Lab) -> None:
    pod = a_pod(calm, "door", "no-image", image="lab/door:9.9")
    calm.runtime.start("no-image", pod)
    eventually(lambda: container_of(calm, "no-image").reason == "ErrImagePull")
    eventually(lambda: container_of(calm, "no-image").reason == "ImagePullBackOff")
    calm.runtime.stop("no-image", 0.0)
    eventually(lambda: container_of(calm, "no-image").state == "terminated")
    calm.runtime.forget("no-image")


def test_a_missing_secret_keeps_a_container_waiting(calm: Lab) -> None:
    reference = {"name": "gone", "key": "password"}
    env = [{"name": "STORE_PASSWORD", "valueFrom": {"secretKeyRef": reference}}]
    calm.runtime.start("no-secret", a_pod(calm, "door", "no-secret", env=env))
    eventually(lambda: container_of(calm, "no-secret").reason == "CreateContainerConfigError")
    assert container_of(calm, "no-secret").message == 'secret "gone" not found'
    calm.runtime.forget("no-secret")


def test_a_bad_value_in_the_environment_ends_the_process_and_is_logged(calm: Lab) -> None:
    env = [{"name": "POOL_SIZE", "value": "many"}]
    calm.runtime.start("bad-value", a_pod(calm, "door", "bad-value", env=env, envFrom=[]))
    eventually(lambda: container_of(calm, "bad-value").last_exit_code == 1)
    said = b"POOL_SIZE='many' cannot be used: a number is needed"
    # It is restarted at once: for a moment there is a new log that says nothing yet.
    eventually(lambda: said in b"".join(logs(calm, "bad-value", "door")))
    calm.runtime.forget("bad-value")


def logs(lab: Lab, uid: str, container: str) -> list[bytes]:
    read = lab.runtime.logs
    return list(read(uid, container, previous=False, tail=None, since_s=None, follow=False))


def test_a_database_refuses_the_wrong_password(calm: Lab) -> None:
    env = [
        {"name": "SHELF_DB_USER", "value": "shelf-db"},
        {"name": "SHELF_DB_PASSWORD", "value": "x"},
    ]
    calm.runtime.start("wrong", a_pod(calm, "shelf", "wrong", env=env))
    eventually(lambda: container_of(calm, "wrong").ready)
    ip = calm.runtime.state("wrong").ip
    status, body = fetch(f"http://{ip}:{8081 + calm.runtime.shift}/things/1")
    calm.runtime.forget("wrong")
    assert status == 503
    assert "access denied for user 'shelf-db'" in body


def test_a_full_queue_refuses(calm: Lab) -> None:
    packer = uid_of(calm, "packer")
    calm.runtime.strain(packer, "packer", Behaviour(message_delay_s=600))
    refused = "belt answered 503 to publish pack"
    eventually(lambda: refused in fetch(f"{calm.front_end}/things/1", "POST")[1])
    belt = uid_of(calm, "belt")
    assert metric_of(calm, belt, 5672, "queue_depth") == 30
    told = b"queue pack is full (30 messages)"
    eventually(lambda: any(told in line for line in logs(calm, belt, "belt")))
    calm.runtime.strain(packer, "packer", None)
    eventually(lambda: metric_of(calm, belt, 5672, "queue_depth") == 0)


def test_a_full_volume_refuses_writes(calm: Lab) -> None:
    uid = uid_of(calm, "shelf-db")
    ballast = calm.folder.path / "pods" / uid / "data" / "shelf-db" / "ballast"
    ballast.write_bytes(bytes(256 << 10))
    told = b"no space left on device"

    def refused() -> bool:
        status, _ = fetch(f"{calm.front_end}/things/1", "POST")
        return status == 500 and any(told in line for line in logs(calm, uid, "shelf-db"))

    eventually(refused)
    ballast.unlink()


def test_sigterm_answers_what_is_under_way_and_ends_well(calm: Lab) -> None:
    calm.runtime.start("drained", a_pod(calm, "door", "drained"))
    eventually(lambda: container_of(calm, "drained").ready)
    calm.runtime.strain("drained", "door", Behaviour(delay_s=1.0))
    ip, answers = calm.runtime.state("drained").ip, list[tuple[int, str]]()
    url = f"http://{ip}:{8080 + calm.runtime.shift}/"
    eventually(lambda: seconds(url) >= 1.0)
    asking = threading.Thread(target=lambda: answers.append(fetch(url)))
    asking.start()
    eventually(lambda: metric_of(calm, "drained", 8080, "requests_in_flight") == 1)
    calm.runtime.stop("drained", 5.0)
    asking.join()
    eventually(lambda: container_of(calm, "drained").state == "terminated")
    assert answers == [(200, '{"ok":true}')]
    assert container_of(calm, "drained").reason == "Completed"
    calm.runtime.forget("drained")


def seconds(url: str) -> float:
    began = time.monotonic()
    fetch(url)
    return time.monotonic() - began


def test_a_failing_health_endpoint_takes_a_pod_out(calm: Lab) -> None:
    uid = uid_of(calm, "shelf")
    calm.runtime.strain(uid, "shelf", Behaviour(unhealthy=True))
    eventually(lambda: not container_of(calm, uid).ready)
    said = "HTTP probe failed with statuscode: 503"
    eventually(lambda: said in (container_of(calm, uid).unhealthy or ""))
    # Connections that stand go on, as with kube-proxy; new ones find nobody there.
    service = (calm.runtime.address("kiosk/shelf"), 8081 + calm.runtime.shift)
    eventually(lambda: refused(service))
    calm.runtime.strain(uid, "shelf", None)
    eventually(lambda: not refused(service))


def refused(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_network_comes_back_when_its_process_is_killed(calm: Lab) -> None:
    before = calm.runtime.processes()["network"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: calm.runtime.processes()["network"] != before)

    def answered() -> bool:
        try:
            return fetch(f"{calm.front_end}/things/1")[0] == 200
        except OSError:
            return False

    eventually(answered)


def test_everything_comes_back_when_the_process_that_starts_it_is_killed(calm: Lab) -> None:
    before = calm.runtime.processes()["zygote"]
    os.kill(before, signal.SIGKILL)
    eventually(lambda: not calm.status().ready)
    calm.wait_ready(PATIENCE_S)
    assert calm.runtime.processes()["zygote"] != before
    assert fetch(f"{calm.front_end}/things/1")[0] == 200


def test_a_lab_ends_at_once_though_a_pod_that_nobody_wants_still_runs(tmp_path: Path) -> None:
    with small_lab(tmp_path) as lab:
        lab.runtime.start("left-over", a_pod(lab, "door", "left-over"))
        eventually(lambda: container_of(lab, "left-over").ready)
        pid = container_of(lab, "left-over").pid
    assert pid is not None
    eventually(lambda: not alive(pid))
