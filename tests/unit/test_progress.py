"""What a run tells is kept in few writes, with nothing lost, and never in the run's way."""

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from aiops.app.progress import LONGEST, UNBROKEN, Keeping, bounded, joined, whole_words
from aiops.errors import StoreUnavailable
from aiops.events.in_process import InProcessEvents
from aiops.model.run import Moment, MomentKind
from aiops.store.clock import ManualClock
from aiops.store.progress import MemoryProgress

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEVER_S, AT_ONCE_S, PATIENT_S = 3600.0, 0.01, 60.0


def told(text: str, kind: MomentKind = "words", node: str = "plan") -> Moment:
    return Moment("inv-1", NOON, node, kind, text)


class Store(MemoryProgress):
    """Counts how often it is written, and can be away."""

    def __init__(self) -> None:
        super().__init__(InProcessEvents(ManualClock(NOON)))
        self.writes, self.away = 0, False

    def add(self, about: str, moments: Sequence[Moment]) -> None:
        if self.away:
            raise StoreUnavailable("it is away")
        self.writes += 1
        super().add(about, moments)

    @property
    def texts(self) -> list[str]:
        return [each.moment.text for each in self.after("inc-1", 0)]


def keeping(store: Store, pace_s: float = NEVER_S) -> Keeping:
    return Keeping(
        store,
        "inc-1",
        lambda text: text.replace("hunter2", "<secret>"),
        pace_s=pace_s,
        patience_s=PATIENT_S,
    )


def until(store: Store, texts: list[str]) -> None:
    end = time.monotonic() + PATIENT_S
    while store.texts != texts:
        assert time.monotonic() < end, store.texts
        time.sleep(0.005)


def test_a_hundred_pieces_of_an_answer_are_one_write() -> None:
    store = Store()
    kept = keeping(store)
    for number in range(100):
        kept.take(told(f"{number} "))
    kept.take(told("it is web", "answer"))
    kept.end()
    assert store.writes == 1
    assert store.texts == ["".join(f"{number} " for number in range(100)), "it is web"]


def test_what_happens_is_kept_while_the_run_goes_on() -> None:
    store = Store()
    kept = keeping(store, AT_ONCE_S)
    kept.take(told("metrics reads", "plan"))
    until(store, ["metrics reads"])
    kept.take(told("be"))
    kept.take(told("cause of "))
    until(store, ["metrics reads", "because of "])
    kept.end()


def test_a_secret_that_comes_in_pieces_is_hidden() -> None:
    store = Store()
    kept = keeping(store, AT_ONCE_S)
    kept.take(told("the password is hun"))
    until(store, ["the password is "])
    kept.take(told("ter2 "))
    until(store, ["the password is ", "<secret> "])
    kept.take(told("kubectl --password hunter2", "call"))
    kept.end()
    assert store.texts[-1] == "kubectl --password <secret>"


def test_a_store_that_comes_back_is_given_what_it_missed_and_the_run_never_notices() -> None:
    store = Store()
    store.away = True
    kept = keeping(store, AT_ONCE_S)
    with capture_logs() as logged:
        kept.take(told("metrics reads", "plan"))
        end = time.monotonic() + PATIENT_S
        while not logged:
            assert time.monotonic() < end
            time.sleep(0.005)
        kept.take(told("found", "finding"))
        store.away = False
        until(store, ["metrics reads", "found"])
        kept.end()
    (line,) = logged
    assert "cannot be kept" in line["event"]


def test_what_cannot_be_kept_at_the_end_is_lost_and_said() -> None:
    store = Store()
    store.away = True
    kept = keeping(store)
    with capture_logs() as logged:
        kept.take(told("metrics reads", "plan"))
        kept.end()
    assert logged[-1]["lost"] == 1


def test_a_run_that_told_nothing_starts_nothing() -> None:
    store = Store()
    keeping(store).end()
    assert store.writes == 0
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_a_long_step_is_cut_and_long_words_become_several() -> None:
    (cut,) = bounded(told("x" * (LONGEST + 1), "finding"))
    assert (len(cut.text), cut.text[-1]) == (LONGEST, "…")
    words = [each.text for each in bounded(told("x" * LONGEST + "yz"))]
    assert words == ["x" * LONGEST, "yz"]


def test_words_without_a_blank_are_shown_in_the_end() -> None:
    assert whole_words([told("x" * UNBROKEN)]) == ([], [told("x" * UNBROKEN)])
    assert whole_words([told("x" * (UNBROKEN + 1))])[1] == []


steps = st.builds(
    told,
    st.text("ab \n", max_size=8),
    st.sampled_from(["words", "words", "words", "answer", "call"]),
    st.sampled_from(["plan", "specialist"]),
)


@given(st.lists(steps, min_size=1, max_size=30))
def test_joining_loses_no_letter_and_leaves_no_two_pieces_side_by_side(
    moments: list[Moment],
) -> None:
    found = joined(moments)
    for node in ("plan", "specialist"):
        before = [each.text for each in moments if (each.kind, each.node) == ("words", node)]
        after = [each.text for each in found if (each.kind, each.node) == ("words", node)]
        assert "".join(before) == "".join(after)
    assert [each for each in moments if each.kind != "words"] == [
        each for each in found if each.kind != "words"
    ]
    beside = [
        (one, other)
        for one, other in pairwise(found)
        if one.kind == other.kind == "words" and one.node == other.node
    ]
    assert beside == []


@given(st.lists(steps, min_size=1, max_size=30))
def test_what_is_held_back_is_the_beginning_of_the_last_word(moments: list[Moment]) -> None:
    whole = joined(moments)
    shown, rest = whole_words(whole)
    if rest:
        assert not set(rest[0].text) & set(" \n")
    assert joined([*shown, *rest]) == whole or not whole[-1].text
