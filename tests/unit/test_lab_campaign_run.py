"""A campaign keeps what is valid, repeats what is not, keeps to its budget, and goes on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import InvalidData
from aiops.store.clock import ManualClock
from aiops_lab.campaign.budget import Limits, Turn, next_turn
from aiops_lab.campaign.journal import AnotherCampaign, Attempt
from aiops_lab.campaign.plan import PlannedCase
from aiops_lab.campaign.run import Campaign, CampaignRunning, Place, Result

START = datetime(2026, 1, 1, tzinfo=UTC)
FINE = Result(0.5)
BUSY = Result(0.99)
CASE_S = 10.0


class Killed(BaseException):
    """As kill -9: nothing of the campaign's own runs after it."""


@dataclass
class FakeRecording:
    """Takes ten seconds, and leaves a folder where it went well."""

    recorder: "FakeRecorder"
    case: PlannedCase
    place: Path
    told: Result
    ends: float
    running: bool = True

    def result(self) -> Result | None:
        if self.recorder.clock.stopwatch() < self.ends:
            return None
        if not self.told.error:
            (self.place / "case").mkdir(exist_ok=True)
            (self.place / "case" / "case.json").write_text(self.case.id)
        return self.told

    def stop(self) -> None:
        self.running = False


@dataclass
class FakeRecorder:
    """Says of each case what it is told to say, attempt by attempt, and then that all is fine."""

    clock: ManualClock
    results: dict[str, list[Result]] = field(default_factory=dict)
    started: list[FakeRecording] = field(default_factory=list)
    together: list[set[str]] = field(default_factory=list)

    def start(self, case: PlannedCase, place: Path) -> FakeRecording:
        assert not list(place.iterdir()), "a recording begins in an empty place"
        queued = self.results.get(case.id, [])
        told = queued.pop(0) if queued else FINE
        ends = self.clock.stopwatch() + CASE_S
        self.started.append(FakeRecording(self, case, place, told, ends))
        running = [one for one in self.started if one.running]
        assert len({one.place for one in running}) == len(running), "two labs in one folder"
        self.together.append({one.case.id for one in running})
        return self.started[-1]

    def order(self) -> list[str]:
        return [one.case.id for one in self.started]


@dataclass
class Scene:
    """A campaign in a folder, with a recorder that is no lab."""

    out: Path
    turns: tuple[Turn, ...]
    limits: Limits = field(default_factory=lambda: Limits(labs=2, cores=1.0))
    kill_at_s: float = float("inf")

    def __post_init__(self) -> None:
        self.clock = ManualClock(START)
        self.recorder = FakeRecorder(self.clock)
        self.told: list[Attempt] = []

    def pause(self) -> None:
        self.clock.advance(1.0)
        if self.clock.stopwatch() >= self.kill_at_s:
            raise Killed

    def run(
        self, at_most: int | None = None, campaign: object = 1, *, retry: bool = False
    ) -> tuple[Attempt, ...]:
        place = Place(self.out)
        one = Campaign(
            self.turns, place, self.limits, self.clock, self.pause, self.told.append, "abc"
        )
        with place.held({"seed": campaign}) as journal:
            one.carry_out(journal, self.recorder, at_most, retry=retry)
            return journal.attempts()

    def kept(self) -> list[str]:
        return sorted(path.name for path in self.out.glob("case-*"))


def turns(*cores: float) -> tuple[Turn, ...]:
    return tuple(
        Turn(PlannedCase(f"case-{number:03}", (), number), 1, one)
        for number, one in enumerate(cores, start=1)
    )


def outcomes(attempts: Sequence[Attempt]) -> list[tuple[str, int, str]]:
    return [(one.case, one.number, one.outcome) for one in attempts]


def test_every_case_is_recorded_once_and_kept_under_its_id(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "set", turns(0, 0, 0))
    attempts = scene.run()
    assert scene.kept() == ["case-001", "case-002", "case-003"]
    assert {one.outcome for one in attempts} == {"recorded"}
    assert {one.commit for one in attempts} == {"abc"}
    assert list(attempts) == scene.told
    assert max(map(len, scene.recorder.together)) == 2
    assert not any(one.running for one in scene.recorder.started)


def test_a_case_on_a_busy_machine_is_repeated_and_only_the_good_recording_kept(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path / "set", turns(0, 0))
    scene.recorder.results = {"case-001": [BUSY]}
    attempts = scene.run()
    assert outcomes(attempts) == [
        ("case-001", 1, "busy"),
        ("case-002", 1, "recorded"),
        ("case-001", 2, "recorded"),
    ]
    assert "99% busy" in attempts[0].reason
    assert scene.kept() == ["case-001", "case-002"]


def test_a_case_that_is_never_valid_is_given_up_listed_and_not_kept(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "set", turns(0, 0))
    scene.recorder.results = {"case-002": [BUSY, Result(None, "not ready after 60 s"), BUSY]}
    attempts = scene.run()
    own = [one for one in attempts if one.case == "case-002"]
    assert [one.outcome for one in own] == ["busy", "failed", "busy"]
    assert own[1].reason == "not ready after 60 s"
    assert scene.kept() == ["case-001"]
    assert outcomes(scene.run()) == outcomes(attempts), "what was given up stays so"


def test_what_was_given_up_can_be_retried_and_every_attempt_stays_listed(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "set", turns(0, 0))
    scene.recorder.results = {"case-002": [BUSY] * 4}
    scene.run()
    attempts = scene.run(retry=True)
    own = [(one.number, one.outcome) for one in attempts if one.case == "case-002"]
    assert own == [(1, "busy"), (2, "busy"), (3, "busy"), (4, "busy"), (5, "recorded")]
    assert scene.recorder.order().count("case-001") == 1
    assert scene.kept() == ["case-001", "case-002"]


def test_the_last_attempt_has_the_machine_to_itself(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "set", turns(*[0] * 6), Limits(labs=3, cores=1.0))
    scene.recorder.results = {"case-001": [BUSY, BUSY]}
    scene.run()
    order = scene.recorder.order()
    last = len(order) - 1 - order[::-1].index("case-001")
    assert order.count("case-001") == 3
    assert scene.recorder.together[last] == {"case-001"}


def test_a_campaign_that_was_killed_goes_on_and_repeats_nothing_that_is_done(
    tmp_path: Path,
) -> None:
    first = Scene(tmp_path / "set", turns(*[0] * 5), kill_at_s=15)
    with pytest.raises(Killed):
        first.run()
    assert first.kept() == ["case-001", "case-002"]
    assert not any(one.running for one in first.recorder.started)
    # As if the kill had come between keeping a case and noting it.
    (tmp_path / "set" / "case-003").mkdir()
    second = Scene(tmp_path / "set", turns(*[0] * 5))
    attempts = second.run()
    assert second.recorder.order() == ["case-003", "case-004", "case-005"]
    assert (tmp_path / "set" / "case-003" / "case.json").read_text() == "case-003"
    assert len(attempts) == 5


def test_attempts_are_counted_over_interruptions(tmp_path: Path) -> None:
    first = Scene(tmp_path / "set", turns(0), kill_at_s=15)
    first.recorder.results = {"case-001": [BUSY]}
    with pytest.raises(Killed):
        first.run()
    second = Scene(tmp_path / "set", turns(0))
    second.recorder.results = {"case-001": [BUSY, BUSY, BUSY]}
    assert [one.number for one in second.run()] == [1, 2, 3]


def test_a_chunk_records_so_many_cases_and_the_next_one_goes_on(tmp_path: Path) -> None:
    for done in (2, 4, 5):
        scene = Scene(tmp_path / "set", turns(*[0] * 5))
        scene.run(at_most=2)
        assert len(scene.kept()) == done


def test_a_case_whose_folder_was_removed_is_recorded_again(tmp_path: Path) -> None:
    Scene(tmp_path / "set", turns(0, 0)).run()
    (tmp_path / "set" / "case-001" / "case.json").unlink()
    (tmp_path / "set" / "case-001").rmdir()
    again = Scene(tmp_path / "set", turns(0, 0))
    again.run()
    assert again.recorder.order() == ["case-001"]
    assert again.kept() == ["case-001", "case-002"]


def test_a_line_of_the_journal_that_was_cut_off_is_forgotten(tmp_path: Path) -> None:
    Scene(tmp_path / "set", turns(0, 0)).run()
    journal = tmp_path / "set" / ".campaign" / "journal.jsonl"
    journal.write_text(journal.read_text()[:-20])
    again = Scene(tmp_path / "set", turns(0, 0))
    again.run()
    assert len(again.recorder.order()) == 1
    assert again.kept() == ["case-001", "case-002"]


@pytest.mark.parametrize("line", ["nonsense\n", '{"case": 1}\n', "[]\n"])
def test_a_damaged_journal_is_refused_with_its_row_and_nothing_is_removed(
    tmp_path: Path, line: str
) -> None:
    Scene(tmp_path / "set", turns(0)).run()
    journal = tmp_path / "set" / ".campaign" / "journal.jsonl"
    journal.write_text(journal.read_text() + line)
    with pytest.raises(InvalidData, match="row 3"):
        Scene(tmp_path / "set", turns(0)).run()
    assert Scene(tmp_path / "set", turns(0)).kept() == ["case-001"]


def test_a_folder_with_another_campaign_is_refused_and_says_what_differs(tmp_path: Path) -> None:
    Scene(tmp_path / "set", turns(0)).run()
    with pytest.raises(AnotherCampaign, match="seed changed"):
        Scene(tmp_path / "set", turns(0)).run(campaign=2)
    first = json.loads((tmp_path / "set/.campaign/journal.jsonl").read_text().splitlines()[0])
    assert first == {"campaign": {"seed": 1}}


def test_two_campaigns_in_one_folder_say_so(tmp_path: Path) -> None:
    with Place(tmp_path).held({}), pytest.raises(CampaignRunning), Place(tmp_path).held({}):
        pass


def test_faults_that_burn_cpu_wait_for_each_other_and_others_overtake_them(tmp_path: Path) -> None:
    scene = Scene(tmp_path / "set", turns(0.6, 0.6, 0, 0), Limits(labs=3, cores=1.0))
    scene.run()
    assert scene.recorder.order() == ["case-001", "case-003", "case-004", "case-002"]


def test_a_fault_that_burns_more_than_the_budget_runs_beside_none_that_burns(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path / "set", turns(0.5, 3.0, 0, 0.5), Limits(labs=4, cores=1.0))
    scene.run()
    burning = [ids - {"case-003"} for ids in scene.recorder.together]
    assert all(ids == {"case-002"} for ids in burning if "case-002" in ids)


some_turns = st.lists(
    st.builds(
        Turn,
        st.just(PlannedCase("case", (), 1)),
        st.integers(1, 3),
        st.floats(0, 2).map(lambda cores: round(cores, 2)),
    ),
    max_size=8,
)


@given(some_turns, st.integers(1, 4), st.sampled_from([0.5, 1.0, 4.0]), st.data())
def test_whatever_waits_all_of_it_runs_within_the_budget(
    waiting: list[Turn], labs: int, cores: float, data: st.DataObject
) -> None:
    limits = Limits(labs=labs, cores=cores)
    running: list[Turn] = []
    left = len(waiting)
    while left:
        while (turn := next_turn(waiting, running, limits)) is not None:
            waiting.remove(turn)
            running.append(turn)
        assert running, "something always goes on"
        assert len(running) <= labs
        burning = [one.cores for one in running if one.cores]
        assert sum(burning) <= cores or len(burning) == 1
        assert len(running) == 1 or all(one.attempt < 3 for one in running)
        running.remove(data.draw(st.sampled_from(running)))
        left -= 1
