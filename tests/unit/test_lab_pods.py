"""What a pod's process does: keeps rows, counts, resolves its settings, opens its gate."""

import asyncio
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from aiops_lab.pods.app import Gate, find
from aiops_lab.pods.meter import Meter, add_process
from aiops_lab.pods.setup import BadConfiguration, read_settings
from aiops_lab.pods.store import NoSpace, QueueFull, Queues, Tables, Volume
from aiops_lab.pods.traces import begin, child
from aiops_lab.scrape import Scrape, read_scrape
from aiops_lab.topology.load import load
from aiops_lab.topology.model import Route, Storage


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def tables(folder: Path, **storage: object) -> Tables:
    kept = Storage(latency_ms=0.0, **storage)  # type: ignore[arg-type]
    return Tables(kept, Volume(folder, kept.volume_bytes))


@pytest.mark.anyio
async def test_rows_survive_a_restart(tmp_path: Path) -> None:
    before = tables(tmp_path)
    await before.query("write", "carts", "anna", "socks")
    await before.query("write", "carts", "bert", "hat")
    await before.query("delete", "carts", "bert", "")
    after = tables(tmp_path)
    assert await after.query("read", "carts", "anna", "") == [["socks"]]
    assert await after.query("read", "carts", "bert", "") == []


@pytest.mark.anyio
async def test_a_line_cut_by_a_kill_loses_only_itself(tmp_path: Path) -> None:
    await tables(tmp_path).query("write", "carts", "anna", "socks")
    journal = tmp_path / Tables.JOURNAL
    journal.write_bytes(journal.read_bytes() + b'["carts", "bert", 17')
    assert await tables(tmp_path).query("read", "carts", "anna", "") == [["socks"]]


@pytest.mark.anyio
async def test_a_full_volume_refuses_writes_and_answers_reads(tmp_path: Path) -> None:
    full = tables(tmp_path, volume_bytes=1000)
    (tmp_path / "ballast").write_bytes(bytes(990))
    with pytest.raises(NoSpace, match="no space left on device"):
        await full.query("write", "carts", "anna", "socks")
    assert await full.query("read", "carts", "anna", "") == []


@pytest.mark.anyio
async def test_the_journal_stays_within_its_share_of_the_volume(tmp_path: Path) -> None:
    small = tables(tmp_path, volume_bytes=20_000)
    for number in range(500):
        await small.query("write", "carts", f"{number % 5}", "socks")
    assert (tmp_path / Tables.JOURNAL).stat().st_size < 10_000
    assert small.rows() == 5


@pytest.mark.anyio
async def test_the_oldest_row_gives_way(tmp_path: Path) -> None:
    small = tables(tmp_path, max_rows=2)
    for name in ("a", "b", "c"):
        await small.query("write", "carts", name, "x")
    assert await small.query("read", "carts", "a", "") == []
    assert await small.query("read", "carts", "c", "") == [["x"]]


@pytest.mark.anyio
async def test_a_queue_is_first_in_first_out_and_has_an_end() -> None:
    queues = Queues(2)
    queues.publish("jobs", b"1")
    queues.publish("jobs", b"2")
    with pytest.raises(QueueFull, match="queue jobs is full"):
        queues.publish("jobs", b"3")
    assert [await queues.consume("jobs", 0.01) for _ in range(3)] == [b"1", b"2", None]


@pytest.mark.anyio
async def test_who_waits_for_a_message_gets_it_when_it_comes() -> None:
    queues = Queues(2)
    waiting = asyncio.create_task(queues.consume("jobs", 5.0))
    await asyncio.sleep(0)
    queues.publish("jobs", b"now")
    assert await waiting == b"now"


@pytest.mark.anyio
async def test_a_gate_lets_so_many_in_and_knows_when_its_line_is_full() -> None:
    gate, leave = Gate(1), asyncio.Event()

    async def guest() -> None:
        async with gate:
            await leave.wait()

    guests = [asyncio.create_task(guest()) for _ in range(9)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (gate.inside, gate.waiting, gate.full) == (1, 8, True)
    leave.set()
    await asyncio.gather(*guests)
    assert (gate.inside, gate.waiting, gate.full) == (0, 0, False)


def test_a_fixed_path_is_found_before_a_pattern() -> None:
    routes = (Route("GET", "/items/{item}", ()), Route("GET", "/items/new", ()))
    found = find(routes, "GET", "/items/new")
    assert found is not None
    assert found[0].path == "/items/new"
    assert find(routes, "POST", "/items/new") is None
    assert find(routes, "GET", "/items/7") == (routes[0], {"item": "7"})


def test_prometheus_reads_every_number() -> None:
    meter = Meter((("service", "shelf"),))
    add_process(meter)
    meter.count("retries_total", (("target", 'odd "name"\n'),), 2)
    for seconds in (0.001, 0.2, 30.0):
        meter.observe("request_duration_seconds", seconds, (("status_code", "200"),))
    samples = [s for f in text_string_to_metric_families(meter.text()) for s in f.samples]
    values = {(s.name, s.labels.get("le")): s.value for s in samples}
    assert values["request_duration_seconds_bucket", "0.005"] == 1
    assert values["request_duration_seconds_bucket", "0.25"] == 2
    assert values["request_duration_seconds_bucket", "+Inf"] == 3
    assert values["process_resident_memory_bytes", None] > 1 << 20
    assert {s.labels["target"] for s in samples if s.name == "retries_total"} == {'odd "name"\n'}


def test_a_scrape_reads_requests_and_errors_of_the_server_only() -> None:
    meter = Meter(())
    for code in ("200", "200", "404", "503"):
        meter.observe("request_duration_seconds", 0.02, (("status_code", code),))
    meter.observe("client_request_duration_seconds", 9.0, (("target", "x"),))
    found = read_scrape(meter.text())
    assert (found.requests, found.errors) == (4, 1)
    assert 10 < found.quantile_ms(0.99) <= 25


def test_a_restarted_pod_counts_from_zero() -> None:
    assert Scrape(3.0, 1.0).since(Scrape(90.0, 20.0)) == Scrape(3.0, 1.0)


def test_an_environment_overrides_the_topology() -> None:
    shop = load()
    env = {"TIMEOUT_S": "0.25", "CATALOGUE_DB_URL": "http://other:1234", "CATALOGUE_DB_USER": "u"}
    settings = read_settings(shop.services["catalogue"], shop, env)
    target = settings.targets["catalogue-db"]
    assert settings.timeout_s == 0.25
    assert (target.host, target.port, target.user, target.store) == ("other", 1234, "u", True)


@settings(deadline=None)
@given(
    name=st.sampled_from(["PORT", "TIMEOUT_S", "RETRIES", "LOG_LEVEL", "CATALOGUE_DB_URL"]),
    value=st.text(max_size=20),
)
def test_any_value_is_used_or_refused_by_name(name: str, value: str) -> None:
    shop = load()
    try:
        read_settings(shop.services["catalogue"], shop, {name: value})
    except BadConfiguration as error:
        assert name in str(error)  # noqa: PT017 - the point is that nothing else is raised


@settings(deadline=None)
@given(header=st.text(max_size=60))
def test_any_trace_header_continues_or_begins_a_trace(header: str) -> None:
    trace = begin(header, random.Random(1), 1.0)  # noqa: S311 - the same each time
    assert len(trace.trace_id) == 32
    assert len(trace.span_id) == 16


def test_a_trace_goes_on_through_its_header() -> None:
    rng = random.Random(1)  # noqa: S311 - the same each time
    parent = begin("", rng, 1.0)
    called = begin(child(parent, rng).header[13:].strip(), rng, 0.0)
    assert called.trace_id == parent.trace_id
    assert called.sampled
