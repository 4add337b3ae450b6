"""Carries a campaign out: starts cases as the budget allows, keeps or repeats them."""

from __future__ import annotations

import fcntl
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from aiops.errors import AiopsError, InvalidInput
from aiops_lab.campaign.budget import Turn, next_turn
from aiops_lab.campaign.journal import Attempt, Journal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from aiops.ports.clock import Clock
    from aiops_lab.campaign.budget import Limits
    from aiops_lab.campaign.journal import Outcome
    from aiops_lab.campaign.plan import PlannedCase

WORK = ".campaign"


class CampaignRunning(InvalidInput):
    """Another process records into the folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"a campaign is being recorded into {folder} already; wait, or end it")


class CannotKeep(AiopsError):
    """What was recorded cannot be written."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"cannot write to {folder}: {reason}; what was recorded until then is kept, "
            "and the same command goes on from there"
        )


@dataclass(frozen=True, slots=True)
class Result:
    """How a recording ended.

    Attributes:
        busiest_cpu: share of the machine's CPU, highest 5 s average; ``None``: it failed.
        error: why it failed; "" where it did not.
    """

    busiest_cpu: float | None
    error: str = ""


class Recording(Protocol):
    """A case that is being recorded."""

    def result(self) -> Result | None:
        """How it ended; ``None``: it has not."""
        ...

    def stop(self) -> None:
        """End it now, with all that belongs to it; call it once, whether or not it has ended."""
        ...


class Recorder(Protocol):
    """Records cases, each on a lab of its own."""

    def start(self, case: PlannedCase, place: Path) -> Recording:
        """Begin; the lab works below ``place``, and what is recorded becomes ``place/case``."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """The campaign's folder: cases beside each other, and work in progress hidden below."""

    out: Path

    @property
    def work(self) -> Path:
        """What is not the result yet."""
        return self.out / WORK

    def slot(self, number: int) -> Path:
        """Where one lab at a time works."""
        return self.work / f"slot-{number}"

    @contextmanager
    def held(self, campaign: Mapping[str, Any]) -> Iterator[Journal]:
        """The journal, for as long as this process alone records into the folder.

        Raises:
            CampaignRunning: another does.
            AnotherCampaign, InvalidData: the folder holds another campaign, or a broken journal.
            CannotKeep: it cannot be written.
        """
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            with (self.work / "lock").open("a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise CampaignRunning(self.out) from None
                journal = Journal.open(self.work / "journal.jsonl", campaign)
                try:
                    yield journal
                finally:
                    journal.close()
        except OSError as error:
            raise CannotKeep(self.out, error.strerror or str(error)) from error

    def keep(self, case: str, slot: Path) -> None:
        """Make what was recorded in a slot the case of that name."""
        folder = self.out / case
        shutil.rmtree(folder, ignore_errors=True)
        (slot / "case").replace(folder)

    def drop_unfinished(self, cases: Sequence[PlannedCase], finished: set[str]) -> None:
        """Remove what a campaign that was killed left half-way."""
        for slot in self.work.glob("slot-*"):
            shutil.rmtree(slot, ignore_errors=True)
        for case in cases:
            if case.id not in finished:
                shutil.rmtree(self.out / case.id, ignore_errors=True)


@dataclass(slots=True)
class _Running:
    turn: Turn
    recording: Recording
    slot: int
    labs: int
    began: datetime
    at: float


@dataclass(frozen=True, slots=True)
class Campaign:
    """Everything that recording needs.

    Attributes:
        turns: every case, as its first attempt.
        pause: waits a moment between two looks at what is running.
        tell: hears of each attempt as it ends.
        commit: that this code was checked out at.
    """

    turns: tuple[Turn, ...]
    place: Place
    limits: Limits
    clock: Clock
    pause: Callable[[], None]
    tell: Callable[[Attempt], None]
    commit: str = ""

    def finished(self, journal: Journal) -> set[str]:
        """Cases that need no further attempt: recorded and there, or given up."""
        found = set()
        for turn in self.turns:
            attempts = journal.attempts(turn.case.id)
            recorded = _recorded(journal, turn.case.id)
            there = (self.place.out / turn.case.id).is_dir()
            if (recorded and there) or (not recorded and len(attempts) >= self.limits.attempts):
                found.add(turn.case.id)
        return found

    def carry_out(
        self,
        journal: Journal,
        recorder: Recorder,
        at_most: int | None = None,
        *,
        retry: bool = False,
    ) -> None:
        """Record what is not finished, or ``at_most`` so many cases of it.

        Args:
            retry: what was given up gets as many attempts again.

        However this ends, no recording goes on, and what was not finished is begun anew the next
        time.

        Raises:
            OSError: what was recorded cannot be kept.
        """
        finished = self.finished(journal)
        if retry:
            finished -= {case for case in finished if not _recorded(journal, case)}
        self.place.drop_unfinished([turn.case for turn in self.turns], finished)
        left = [turn for turn in self.turns if turn.case.id not in finished]
        waiting = [_resumed(turn, journal, self.limits) for turn in left[:at_most]]
        running: list[_Running] = []
        try:
            while waiting or running:
                if not running:  # together: a lab that starts would disturb one that records
                    self._start(waiting, running, recorder)
                self.pause()
                for one in [*running]:
                    result = one.recording.result()
                    if result is not None:
                        running.remove(one)
                        again = self._ended(one, result, journal)
                        waiting += [again] if again else []
        finally:
            for one in running:
                one.recording.stop()

    def _start(self, waiting: list[Turn], running: list[_Running], recorder: Recorder) -> None:
        while turn := next_turn(waiting, [one.turn for one in running], self.limits):
            waiting.remove(turn)
            taken = {one.slot for one in running}
            slot = next(n for n in range(self.limits.labs) if n not in taken)
            place = self.place.slot(slot)
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            recording = recorder.start(turn.case, place)
            now, at = self.clock.now(), self.clock.stopwatch()
            running.append(_Running(turn, recording, slot, len(running) + 1, now, at))

    def _ended(self, one: _Running, result: Result, journal: Journal) -> Turn | None:
        """Keep it where it is valid; else the turn that repeats it, ``None``: it is given up."""
        one.recording.stop()
        outcome, reason = self._judge(result)
        turn = one.turn
        if outcome == "recorded":
            self.place.keep(turn.case.id, self.place.slot(one.slot))
        attempt = Attempt(
            case=turn.case.id,
            number=len(journal.attempts(turn.case.id)) + 1,
            outcome=outcome,
            busiest_cpu=result.busiest_cpu,
            reason=reason,
            labs=one.labs,
            began=one.began.isoformat(timespec="seconds"),
            seconds=round(self.clock.stopwatch() - one.at, 1),
            commit=self.commit,
        )
        journal.append(attempt)
        self.tell(attempt)
        if outcome == "recorded" or turn.attempt >= self.limits.attempts:
            return None
        return Turn(turn.case, turn.attempt + 1, turn.cores)

    def _judge(self, result: Result) -> tuple[Outcome, str]:
        if result.error or result.busiest_cpu is None:
            return "failed", result.error or "nobody measured the machine's CPU"
        most = self.limits.busiest_cpu
        if result.busiest_cpu > most:
            return (
                "busy",
                f"the machine's CPU was {result.busiest_cpu:.0%} busy; {most:.0%} is most",
            )
        return "recorded", ""


def _resumed(turn: Turn, journal: Journal, limits: Limits) -> Turn:
    attempts = len(journal.attempts(turn.case.id))
    # A case that is retried, or whose folder somebody removed, begins anew.
    if _recorded(journal, turn.case.id) or attempts >= limits.attempts:
        return turn
    return Turn(turn.case, attempts + 1, turn.cores)


def _recorded(journal: Journal, case: str) -> bool:
    return any(one.outcome == "recorded" for one in journal.attempts(case))
