"""The kubelet's rules without processes: probes, back-off, logs, images, environments."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops_lab.kubelet import logs as log_files
from aiops_lab.kubelet.container import Backoff
from aiops_lab.kubelet.environment import ConfigError, resolve_environment
from aiops_lab.kubelet.images import Runnable, find_image
from aiops_lab.kubelet.logs import ContainerLog
from aiops_lab.kubelet.probes import Probe, Verdict, read_probe
from aiops_lab.topology.load import load

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_first_restart_is_at_once_and_later_ones_double_up_to_a_cap() -> None:
    backoff = Backoff(first_s=10, cap_s=300)
    assert [backoff.pause(n) for n in range(1, 9)] == [0, 10, 20, 40, 80, 160, 300, 300]


@settings(deadline=None)
@given(
    results=st.lists(st.booleans(), max_size=40),
    successes=st.integers(1, 3),
    failures=st.integers(1, 4),
)
def test_a_verdict_changes_only_after_so_many_in_a_row(
    results: list[bool], successes: int, failures: int
) -> None:
    verdict = Verdict(Probe("/", 80, 0, 1, 1, successes, failures), healthy=False)
    seen: list[bool] = []
    for passed in results:
        before = verdict.healthy
        changed = verdict.add(passed=passed)
        seen.append(passed)
        assert changed == (verdict.healthy != before)
        if changed:
            wanted = successes if passed else failures
            assert seen[-wanted:] == [passed] * wanted


def test_a_probe_knows_its_port_by_name_and_kubernetes_defaults() -> None:
    probe = read_probe({"httpGet": {"path": "/health", "port": "http"}}, {"http": 8080}, 1)
    assert probe == Probe("/health", 8080, 0.0, 10.0, 1.0, 1, 3)
    tcp = read_probe({"tcpSocket": {"port": 5432}}, {}, 1)
    assert tcp is not None
    assert (tcp.path, tcp.port) == (None, 5432)
    assert read_probe(None, {}, 1) is None


def test_log_lines_carry_their_time_and_the_run_before_is_kept(tmp_path: Path) -> None:
    log = ContainerLog(tmp_path)
    for run in range(3):
        log.begin()
        log.write(b"run %d\nhalf" % run, NOW + timedelta(seconds=run))
        log.end(NOW + timedelta(seconds=run))
    assert log.lines(2, None, None) == [
        b"2026-01-01T00:00:02.000000Z run 2\n",
        b"2026-01-01T00:00:02.000000Z half\n",
    ]
    assert len(log.lines(1, None, None)) == 2
    assert log.lines(0, None, None) == []
    assert log.lines(2, 1, None) == [b"2026-01-01T00:00:02.000000Z half\n"]
    assert log.lines(2, None, NOW + timedelta(seconds=3)) == []


def test_a_log_rotates_and_its_newest_lines_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_files, "ROTATE_BYTES", 1_000)
    log = ContainerLog(tmp_path)
    log.begin()
    for number in range(200):
        log.write(b"line %d\n" % number, NOW)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2_000
    assert log.lines(0, None, None)[-1].endswith(b"line 199\n")


def test_an_image_is_known_by_its_service_and_tag() -> None:
    shop = load()
    assert find_image(shop, "lab/carts:1.0.1", []) == Runnable("carts", "1.0.1")
    assert find_image(shop, "lab/carts:9.9", []) is None
    assert find_image(shop, "lab/cart:1.0.0", []) is None
    assert find_image(shop, "nginx", []) is None


def test_an_image_that_services_share_is_settled_by_the_pods_labels() -> None:
    shop = load()
    for hint in ("carts-db", "orders-db"):
        found = find_image(shop, "mongo", [hint])
        assert found is not None
        assert found.service == hint
    assert find_image(shop, "mongo:latest", ["orders-db"]) is not None
    assert find_image(shop, "mongo:3.4", ["orders-db"]) is None


CONTENTS = {
    ("ConfigMap", "conf"): {"A": "1", "B": "2"},
    ("Secret", "safe"): {"password": "p"},
}


def content(kind: str, namespace: str, name: str, key: str | None) -> Mapping[str, str] | None:
    del namespace, key
    return CONTENTS.get((kind, name))


def environment(container: dict[str, object]) -> dict[str, str]:
    pod = {"metadata": {"name": "p", "namespace": "n"}, "spec": {"nodeName": "node-1"}}
    return resolve_environment(container, pod, "127.1.1.1", content)


def test_an_environment_is_put_together_from_all_its_sources() -> None:
    found = environment(
        {
            "envFrom": [{"prefix": "X_", "configMapRef": {"name": "conf"}}],
            "env": [
                {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "URL", "value": "http://$(IP):80/$(MISSING)"},
                {
                    "name": "P",
                    "valueFrom": {"secretKeyRef": {"name": "safe", "key": "password"}},
                },
            ],
        }
    )
    assert found == {
        "X_A": "1",
        "X_B": "2",
        "IP": "127.1.1.1",
        "URL": "http://127.1.1.1:80/$(MISSING)",
        "P": "p",
    }


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"configMapKeyRef": {"name": "gone", "key": "A"}}, 'configmap "gone" not found'),
        ({"configMapKeyRef": {"name": "conf", "key": "Z"}}, "couldn't find key Z in ConfigMap"),
        ({"secretKeyRef": {"name": "safe", "key": "Z"}}, "couldn't find key Z in Secret n/safe"),
    ],
)
def test_a_reference_to_nothing_is_said_unless_it_is_optional(
    reference: dict[str, dict[str, object]], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        environment({"env": [{"name": "V", "valueFrom": reference}]})
    for inner in reference.values():
        inner["optional"] = True
    assert environment({"env": [{"name": "V", "valueFrom": reference}]}) == {}
