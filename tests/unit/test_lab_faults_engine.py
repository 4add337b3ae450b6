"""The engine of a lab's faults: begins, ends, adds up, puts right, and writes it all down."""

from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from paper_lab import Bench, Refusing

from aiops.errors import AiopsError, InvalidInput, NotKept, UnknownName, WrongState
from aiops.model.entity import Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.catalogue import KINDS
from aiops_lab.faults.effects import Edited, Pressed, Strained, Surged
from aiops_lab.faults.engine import NotUndone
from aiops_lab.faults.orders import Order, truth_from_json, truth_to_json
from aiops_lab.faults.session import settle
from aiops_lab.topology.load import SHOP
from aiops_lab.topology.model import Behaviour

SECOND = SHOP.with_name("second.yaml")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def events(bench: Bench) -> list[str]:
    return [f"{entry.truth.id} {entry.event}" for entry in bench.journal.read()]


def test_a_fault_lasts_as_long_as_asked(bench: Bench) -> None:
    truth = bench.engine.inject(Order("carts/cpu", duration_s=30))
    hog = Strained("carts", Behaviour(hog_cores=0.3))
    assert bench.lab.held == (hog,)
    bench.forward(29)
    assert bench.lab.held == (hog,)
    bench.forward(1)
    assert bench.lab.held == ()
    assert truth.end is not None
    assert (truth.end - truth.start).total_seconds() == 30
    assert events(bench) == ["f1 scheduled", "f1 begun", "f1 ended"]


def test_a_fault_begins_when_it_is_due_and_not_before(bench: Bench) -> None:
    bench.engine.inject(Order("carts/cpu", at_s=10, duration_s=5))
    bench.forward(9)
    assert bench.lab.held == ()
    bench.forward(1)
    assert bench.lab.held
    bench.forward(5)
    assert bench.lab.held == ()


def test_without_a_duration_it_lasts_until_it_is_reverted(bench: Bench) -> None:
    truth = bench.engine.inject(Order("carts/errors"))
    bench.forward(3600)
    assert bench.lab.held
    ended = bench.engine.revert(truth.id)
    assert ended.end is not None
    assert (ended.end - ended.start).total_seconds() == 3600
    assert bench.lab.held == ()


def test_two_faults_hold_together_and_each_goes_alone(bench: Bench) -> None:
    first = bench.engine.inject(Order("carts/cpu"))
    bench.engine.inject(Order("orders/slow-dependency"))
    assert {one.service for one in bench.lab.held if isinstance(one, Strained)} == {
        "carts",
        "orders",
    }
    bench.engine.revert(first.id)
    assert [one.service for one in bench.lab.held if isinstance(one, Strained)] == ["orders"]


def test_what_has_not_begun_is_cancelled(bench: Bench) -> None:
    truth = bench.engine.inject(Order("carts/cpu", at_s=100))
    bench.engine.revert(truth.id)
    bench.forward(200)
    assert bench.lab.held == ()
    assert events(bench)[-1] == "f1 cancelled"


def test_a_retry_storm_loses_its_trigger_and_keeps_its_cause(bench: Bench) -> None:
    bench.engine.inject(Order("carts/retry-storm", settings=("trigger=8",)))
    target = [one.behaviour for one in bench.lab.held if one.service == "carts"]  # type: ignore[union-attr]
    assert any(behaviour.delay_s > 0 for behaviour in target)
    bench.forward(8)
    left = [one for one in bench.lab.held if isinstance(one, Strained)]
    assert all(one.behaviour.delay_s == 0 for one in left)
    assert {one.service for one in left if one.behaviour.extra_retries} == {"front-end", "orders"}


def test_a_fault_that_cannot_begin_leaves_nothing(bench: Bench) -> None:
    before = deepcopy(bench.lab.objects)
    bench.lab.refuses = Pressed
    with pytest.raises(Refusing):
        bench.engine.inject(Order("node-1/node-pressure"))
    assert bench.engine.active() == ()
    assert bench.lab.held == ()
    assert bench.lab.objects == before
    last = bench.journal.read()[-1]
    assert (last.event, last.note) == ("failed", "not here")


def test_a_fault_that_cannot_begin_when_due_does_not_stop_the_others(bench: Bench) -> None:
    bench.lab.refuses = Surged
    bench.engine.inject(Order("front-end/traffic", at_s=5))
    bench.engine.inject(Order("carts/cpu", at_s=5))
    bench.forward(6)
    assert [truth.name for truth in bench.engine.active()] == ["carts/cpu"]


def test_two_faults_never_change_the_same_value(bench: Bench) -> None:
    bench.engine.inject(Order("carts/bad-deploy"))
    with pytest.raises(WrongState, match="revert f1 first"):
        bench.engine.inject(Order("carts/bad-image"))
    assert [truth.id for truth in bench.engine.active()] == ["f1"]


def test_what_somebody_mended_meanwhile_stays_mended(bench: Bench) -> None:
    image = ("spec", "template", "spec", "containers", 0, "image")
    truth = bench.engine.inject(Order("carts/bad-deploy"))
    bench.lab.write(Edited("deployments.apps", "carts", image, "lab/carts:1.0.1"))
    bench.engine.revert(truth.id)
    kept = bench.lab.objects["deployments.apps", "carts"]["spec"]["template"]["spec"]
    assert kept["containers"][0]["image"] == "lab/carts:1.0.1"


def test_an_undo_that_fails_is_said_and_the_rest_is_put_right(bench: Bench) -> None:
    bench.engine.inject(Order("carts/cpu"))
    bench.engine.inject(Order("carts/bad-deploy"))
    bench.lab.refuses = Edited
    with pytest.raises(NotUndone, match=r"carts/bad-deploy \(f2\): not here"):
        bench.engine.revert_all()
    assert bench.lab.held == ()
    assert bench.engine.active() == ()


def test_the_end_of_the_lab_puts_everything_right_and_takes_no_more(bench: Bench) -> None:
    bench.engine.start()
    bench.engine.inject(Order("carts/cpu"))
    bench.engine.close()
    assert bench.lab.held == ()
    with pytest.raises(WrongState, match="is ending"):
        bench.engine.inject(Order("carts/cpu"))


def test_a_killed_labs_journal_knows_what_was_broken(bench: Bench, tmp_path: Path) -> None:
    bench.engine.inject(Order("carts/cpu"))
    done = bench.engine.inject(Order("orders/cpu"))
    bench.engine.revert(done.id)
    ballast = tmp_path / "pods" / "carts-db-1" / "data" / "carts-db" / "ballast"
    ballast.parent.mkdir(parents=True)
    ballast.write_bytes(bytes(100))
    with (tmp_path / "faults.jsonl").open("a") as file:
        file.write('{"at": "2026-01-01T00:')  # the kill came in the middle of a line
    assert [truth.name for truth in bench.journal.open()] == ["carts/cpu"]
    assert [truth.name for truth in settle(tmp_path, bench.clock.now())] == ["carts/cpu"]
    assert not ballast.exists()


def test_a_killed_labs_journal_is_closed_once(bench: Bench, tmp_path: Path) -> None:
    bench.engine.inject(Order("carts/cpu"))
    assert len(settle(tmp_path, bench.clock.now())) == 1
    assert settle(tmp_path, bench.clock.now()) == ()


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (Order("carts"), "write TARGET/KIND"),
        (Order("carts/fire"), "unknown fault 'fire'; choose from: cpu, "),
        (Order("cart/cpu"), "unknown target of cpu 'cart'; choose from: front-end, "),
        (Order("carts/disk-fill"), "choose from: catalogue-db, carts-db, "),
        (Order("carts/cpu", settings=("core=1",)), "unknown parameter of cpu 'core'; choose from"),
        (Order("carts/cpu", settings=("cores=lots",)), "cores is 0.01 to 0.5 cores"),
        (Order("carts/cpu", settings=("cores=0.6",)), "cores is 0.01 to 0.5 cores"),
        (Order("carts/cpu", settings=("cores=nan",)), "cores is 0.01 to 0.5 cores"),
        (Order("carts/cpu", settings=("cores",)), "write --set NAME=VALUE"),
        (Order("carts/probe", settings=("x=1",)), "probe has no parameters"),
        (Order("carts/dns", settings=("to=payment",)), "choose from: all, carts-db"),
        (Order("carts/cpu", intensity=1.5), "0 (mild) to 1 (severe)"),
        (Order("carts/cpu", duration_s=0), "--duration more than 0"),
        (Order("carts/cpu", at_s=-1), "--at is 0 or more"),
        (
            Order("carts/network-delay", settings=("to=carts-db", "from=orders")),
            "name to or from, not both",
        ),
    ],
    ids=lambda value: value.aim if isinstance(value, Order) else None,
)
def test_what_cannot_be_injected_is_said_with_what_can(
    bench: Bench, order: Order, says: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        bench.engine.inject(order)
    assert says in str(refused.value)
    assert bench.engine.active() == ()


def test_a_lab_without_the_kubernetes_api_says_so(bench: Bench) -> None:
    bench.lab.ground = type(bench.lab.ground)(bench.lab.ground.topology)
    with pytest.raises(InvalidInput, match="acts on the Kubernetes API, and this lab has none"):
        bench.engine.inject(Order("carts/bad-image"))


def test_reverting_what_is_not_active_names_what_is(bench: Bench) -> None:
    with pytest.raises(NotKept):
        bench.engine.revert("f1")
    bench.engine.inject(Order("carts/cpu"))
    with pytest.raises(UnknownName, match="choose from: f1"):
        bench.engine.revert("f9")


@pytest.mark.parametrize("topology", [SHOP, SECOND], ids=["shop", "second"])
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_every_kind_does_something_and_undoes_all_of_it(
    kind: object, topology: Path, tmp_path: Path
) -> None:
    fault = next(one for one in KINDS if one is kind)
    bench = Bench(tmp_path, topology)
    targets = fault.targets(bench.lab.ground)
    assert targets
    for target in targets:
        for intensity in (0.0, 1.0):
            before = deepcopy(bench.lab.objects)
            truth = bench.engine.inject(Order(f"{target}/{fault.name}", intensity))
            assert bench.lab.held or bench.lab.objects != before
            assert truth_from_json(truth_to_json(truth)) == truth
            assert truth.fault_type is fault.type
            bench.engine.revert(truth.id)
            after = {k: v for k, v in before.items() if k[0] != "pods"}
            assert {k: v for k, v in bench.lab.objects.items() if k[0] != "pods"} == after
            assert bench.lab.held == ()
            bench.lab.objects = before


def test_no_cpu_fault_takes_more_than_half_a_core() -> None:
    hogs = [p for kind in KINDS for p in kind.parameters if p.name == "cores"]
    assert hogs
    assert all(getattr(level, "most", 1.0) <= 0.5 for level in hogs)


@pytest.mark.parametrize(
    ("version", "metric"),
    [
        ("1.1.0-slow", "request_duration_p99_seconds"),
        ("1.1.0-errors", "request_errors_ops"),
        ("1.1.0-leak", "container_memory_rss_bytes"),
        ("1.1.0-crash", "kube_pod_container_status_restarts_total"),
    ],
)
def test_a_bad_deploy_shows_by_its_bug(version: str, metric: str, tmp_path: Path) -> None:
    truth = Bench(tmp_path).engine.inject(
        Order("carts/bad-deploy", settings=(f"version={version}",))
    )
    assert truth.indicator == Indicator("metric", metric)


def test_every_fault_type_of_a_lab_is_told_apart() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    assert len({kind.type for kind in KINDS}) >= 20
    assert FaultType.UNKNOWN not in {kind.type for kind in KINDS}


class AnyOrder(RuleBasedStateMachine):
    """However faults are injected, overlap, end and are reverted, what holds is what is active."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self.bench = Bench(Path(self._folder.name))
        self.objects = deepcopy(self.bench.lab.objects)

    @rule(
        service=st.sampled_from(["carts", "orders", "carts-db"]),
        kind=st.sampled_from([one.name for one in KINDS if one.name != "quota"]),
        at=st.sampled_from([0.0, 3.0]),
        lasts=st.sampled_from([None, 2.0, 10.0]),
    )
    def inject(self, service: str, kind: str, at: float, lasts: float | None) -> None:
        try:
            self.bench.engine.inject(Order(f"{service}/{kind}", at_s=at, duration_s=lasts))
        except AiopsError:
            return

    @rule(seconds=st.sampled_from([0.5, 2.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self.bench.forward(seconds)

    @rule(number=st.integers(0, 3))
    def revert(self, number: int) -> None:
        active = self.bench.engine.active()
        if number < len(active):
            self.bench.engine.revert(active[number].id)

    @invariant()
    def the_journal_agrees_on_what_is_active(self) -> None:
        known = {truth.id for truth in self.bench.journal.open()}
        assert known == {truth.id for truth in self.bench.engine.active()}

    @invariant()
    def nothing_holds_that_nobody_injected(self) -> None:
        if not self.bench.engine.active():
            assert self.bench.lab.held == ()
            assert self.bench.lab.objects == self.objects

    def teardown(self) -> None:
        self.bench.engine.revert_all()
        assert self.bench.lab.held == ()
        assert self.bench.lab.objects == self.objects
        self._folder.cleanup()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
