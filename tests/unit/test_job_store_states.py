"""Jobs in memory and in SQLite go through the same states, whatever is done in which order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aiops.model.job import Held, Job, after_failure
from aiops.store.jobs import MemoryJobs
from aiops.store.sql.engine import open_engine
from aiops.store.sql.jobs import SqlJobs
from aiops.store.sql.operations_tables import JOBS

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = st.sampled_from(["a", "b", "c", "d"])
HOLDERS = st.sampled_from(["ana", "ben"])
SECONDS = st.sampled_from([-7200, -5, 0, 5, 9, 11, 300])


class AnyTime:
    """A clock set to any time."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        return self.at

    def stopwatch(self) -> float:
        return 0.0


class Stores(RuleBasedStateMachine):
    """Both stores get the same; what each key went through is kept beside them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self._clock = AnyTime()
        self._engine = open_engine(f"sqlite:///{Path(self._folder.name) / 'jobs.db'}")
        JOBS.create(self._engine)
        self._stores = (MemoryJobs(self._clock), SqlJobs(self._engine, self._clock))
        self._known: set[str] = set()
        self._held: dict[str, tuple[str, Job]] = {}
        self._ended: set[str] = set()

    def teardown(self) -> None:
        self._engine.dispose()
        self._folder.cleanup()

    @rule(key=KEYS, kind=st.sampled_from(["x", "y"]), seconds=SECONDS)
    def put(self, key: str, kind: str, seconds: int) -> None:
        new = Job(key, kind, "it", self._clock.at + timedelta(seconds=seconds))
        assert [each.put(new) for each in self._stores] == [key not in self._known] * 2
        self._known.add(key)

    @rule(holder=HOLDERS, kinds=st.sets(st.sampled_from(["x", "y"])), limit=st.integers(1, 3))
    def take(self, holder: str, kinds: set[str], limit: int) -> None:
        first, second = (each.take(kinds, holder, limit) for each in self._stores)
        assert first == second
        assert len(first) <= limit
        assert [each.due for each in first] == sorted(each.due for each in first)
        for each in first:
            assert each.kind in kinds
            assert each.key not in self._held
            assert each.key not in self._ended
            self._held[each.key] = (holder, each)

    @rule(holder=HOLDERS, keys=st.sets(KEYS))
    def beat(self, holder: str, keys: set[str]) -> None:
        for each in self._stores:
            each.beat(holder, keys)

    @rule(key=KEYS, holder=HOLDERS)
    def finish(self, key: str, holder: str) -> None:
        mine = self._mine(key, holder)
        assert [each.finish(key, holder) for each in self._stores] == [mine] * 2
        self._end(key, mine)

    @rule(key=KEYS, holder=HOLDERS)
    def fail(self, key: str, holder: str) -> None:
        if key not in self._held:
            return
        mine, again = self._mine(key, holder), after_failure(self._held[key][1], self._clock.at)
        if again is None:
            assert [each.give_up(key, holder, "no") for each in self._stores] == [mine] * 2
            self._end(key, mine)
        else:
            assert [each.put_back(again, holder, "no") for each in self._stores] == [mine] * 2
            self._held = {k: v for k, v in self._held.items() if not (mine and k == key)}

    @rule(stale=st.integers(0, 2))
    def free(self, stale: int) -> None:
        """What a watcher does; with a sign of life since it looked, nothing happens."""
        for held in self._stores[0].held():
            beats = held.beats - stale
            said = [each.put_back(held.job, held.holder, beats=beats) for each in self._stores]
            assert said == [stale == 0] * 2
            if stale == 0:
                del self._held[held.job.key]

    @rule(seconds=SECONDS)
    def jump(self, seconds: int) -> None:
        self._clock.at += timedelta(seconds=seconds)

    @rule(seconds=SECONDS)
    def forget(self, seconds: int) -> None:
        before = self._clock.at + timedelta(seconds=seconds)
        first, second = (each.forget(before) for each in self._stores)
        assert first == second
        if first:
            gone = {key for key in self._ended if not self._kept(key)}
            assert len(gone) == first
            self._ended -= gone
            self._known -= gone

    @invariant()
    def the_figures_agree(self) -> None:
        first, second = (each.backlog() for each in self._stores)
        assert first == second
        assert first.running == len(self._held)
        assert first.due + first.running <= len(self._known) - len(self._ended)

    @invariant()
    def each_has_the_same_holder_and_signs_of_life(self) -> None:
        def by_key(held: Held) -> str:
            return held.job.key

        first, second = (sorted(each.held(), key=by_key) for each in self._stores)
        assert first == second
        assert {each.job.key: each.holder for each in first} == {
            key: holder for key, (holder, _) in self._held.items()
        }

    def _mine(self, key: str, holder: str) -> bool:
        return key in self._held and self._held[key][0] == holder

    def _end(self, key: str, mine: bool) -> None:
        if mine:
            del self._held[key]
            self._ended.add(key)

    def _kept(self, key: str) -> bool:
        return key in self._stores[0]._kept


TestStores = Stores.TestCase
TestStores.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
