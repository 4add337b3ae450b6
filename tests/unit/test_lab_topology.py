"""Topology files: what is read, and what is said about those that cannot be."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from small_lab import TOPOLOGY

from aiops_lab.topology.load import SHOP, InvalidTopology, load
from aiops_lab.topology.manifests import manifests
from aiops_lab.topology.model import Call, Optional, Publish, Query, Together, Work

NOW = datetime(2026, 1, 1, tzinfo=UTC)

SECOND = SHOP.with_name("second.yaml")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "system.yaml"
    path.write_text(text)
    return path


def test_the_shop_has_its_fourteen_services_and_their_calls() -> None:
    shop = load()
    assert len(shop.services) == 14
    assert ("orders", "payment") in shop.edges
    assert ("shipping", "rabbitmq") in shop.edges
    assert ("queue-master", "rabbitmq") in shop.edges


def test_the_second_system_shares_no_name_with_the_first_and_has_a_diamond() -> None:
    shop, office = load(), load(SECOND)
    assert not set(shop.services) & set(office.services)
    assert len(office.services) >= 10
    edges = set(office.edges)
    assert {("booking", "seating"), ("booking", "pricing")} <= edges
    assert {("seating", "venue-store"), ("pricing", "venue-store")} <= edges


def test_every_step_has_its_meaning(tmp_path: Path) -> None:
    steps = (
        '[{work: 0.5}, {read: "shelf-db rows/{id} or 404"}, {optional: {publish: belt jobs}},'
        " {together: [{call: GET shelf /x}, {write: shelf-db rows}]}]"
    )
    topology = load(written(tmp_path, TOPOLOGY.replace("[{work: 0.1}]", steps)))
    assert topology.services["door"].routes[0].steps == (
        Work(0.5),
        Query("read", "shelf-db", "rows", "{id}", 404),
        Optional(Publish("belt", "jobs")),
        Together((Call("shelf", "GET", "/x"), Query("write", "shelf-db", "rows", ""))),
    )


@pytest.mark.parametrize(
    ("good", "bad", "said"),
    [
        ("entry: door", "entry: window", "entry: there is no service 'window'"),
        ("role: queue", "role: pipe", "services.belt.role: 'pipe' is none of frontend,"),
        ("limit: 64Mi", "limit: lots", "services.shelf.memory.limit: must be a size"),
        ("port: 8081", "port: 70000", "services.shelf.port: a port is between 1 and 65535"),
        ("timeout_s: 0.8", "timeuot_s: 0.8", "services.shelf.timeuot_s: is no key here"),
        ("publish: belt pack", "publish: belt", "cannot be read: publish: belt"),
        ("publish: belt pack", "publish: drum pack", "calls 'drum', which is no service here"),
        ("requests: [GET /,", "requests: [/,", "visits.look.requests: '/' is no METHOD /path"),
        ("  shelf-db:", "  shelf_db:", "lower-case letters, digits and dashes"),
    ],
)
def test_what_is_wrong_is_said_with_its_file_and_key(
    tmp_path: Path, good: str, bad: str, said: str
) -> None:
    assert good in TOPOLOGY
    path = written(tmp_path, TOPOLOGY.replace(good, bad))
    with pytest.raises(InvalidTopology) as raised:
        load(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert said in str(raised.value)


def test_no_file_and_no_yaml_are_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidTopology, match="No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(InvalidTopology, match="is no YAML"):
        load(written(tmp_path, "a: [1"))


_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
_DOCUMENTS = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner)
)


@settings(deadline=None, max_examples=50)
@given(
    key=st.sampled_from(["services", "visits", "versions", "items", "entry", "sidecars"]),
    value=_DOCUMENTS,
)
def test_no_document_is_answered_with_anything_but_a_reason(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    document = yaml.safe_load(TOPOLOGY) | {key: value}
    path = tmp_path_factory.mktemp("any") / "system.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        load(path)
    except InvalidTopology as error:
        assert str(path) in str(error)  # noqa: PT017 - the point is that nothing else is raised


def test_callers_of_a_store_with_a_password_get_its_secret() -> None:
    objects = manifests(load(), now=NOW, password="p")
    by_name = {(one["kind"], one["metadata"]["name"]): one for one in objects}
    carts = by_name["Deployment", "carts"]["spec"]["template"]["spec"]["containers"][0]
    wanted = {one["name"]: one["valueFrom"]["secretKeyRef"] for one in carts["env"]}
    assert wanted["CARTS_DB_PASSWORD"] == {"name": "carts-db-credentials", "key": "password"}
    assert ("Secret", "carts-db-credentials") in by_name
    assert ("Secret", "carts-db-certificate") in by_name


def test_more_replicas_are_of_services_without_state() -> None:
    objects = manifests(load(), now=NOW, password="p", replicas=3)
    counts = {
        one["metadata"]["name"]: one["spec"]["replicas"]
        for one in objects
        if one["kind"] == "Deployment"
    }
    assert counts["carts"] == 3
    assert counts["carts-db"] == counts["rabbitmq"] == 1
