"""What a run tells, kept for those who watch from elsewhere: in few writes, never in its way."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from threading import Event, Lock, Thread
from typing import Final

import structlog

from aiops.errors import StoreUnavailable
from aiops.model.run import Moment
from aiops.ports.progress import ProgressRepo

PACE_S: Final = 0.25
"""Between two writes: as fast as people read along."""
PATIENCE_S: Final = 5.0
"""How long a run waits at its end for what it told to be kept."""
LONGEST: Final = 2000
"""Characters of one moment that are kept; words that are longer become several."""
UNBROKEN: Final = 200
"""Characters without a blank that are held back, to be hidden whole where they are a secret."""
MOST_WAITING: Final = 2000
"""Moments that wait for a store that does not answer; beyond them the oldest are dropped."""


def joined(moments: Iterable[Moment]) -> list[Moment]:
    """The same, pieces of one answer that follow one another as one, at the time of the last."""
    found: list[Moment] = []
    for moment in moments:
        last = found[-1] if found else None
        if last is not None and last.kind == moment.kind == "words" and _beside(last, moment):
            found[-1] = replace(moment, text=last.text + moment.text)
        else:
            found.append(moment)
    return found


def whole_words(moments: Sequence[Moment]) -> tuple[list[Moment], list[Moment]]:
    """What can be shown of joined moments, and the beginning of a word that goes on."""
    *before, last = moments
    end = max(last.text.rfind(blank) for blank in " \n\t") + 1
    rest = last.text[end:]
    if last.kind != "words" or len(rest) > UNBROKEN:
        return [*moments], []
    shown = [replace(last, text=last.text[:end])] if end else []
    return [*before, *shown], [replace(last, text=rest)] if rest else []


def bounded(moment: Moment) -> Iterator[Moment]:
    """It, cut where it is too long; of words nothing is lost."""
    if moment.kind == "words":
        for at in range(0, len(moment.text), LONGEST):
            yield replace(moment, text=moment.text[at : at + LONGEST])
    elif len(moment.text) > LONGEST:
        yield replace(moment, text=f"{moment.text[: LONGEST - 1]}…")
    else:
        yield moment


class Keeping:
    """Keeps one run's moments. ``take`` is a Watch, from any thread, and never waits for the store.

    A store that does not answer is tried again with what comes next; the run goes on without.

    Args:
        about: id of the incident.
        hide: makes secrets unreadable.
    """

    def __init__(
        self,
        repo: ProgressRepo,
        about: str,
        hide: Callable[[str], str],
        *,
        pace_s: float = PACE_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._repo, self._about, self._hide = repo, about, hide
        self._pace_s, self._patience_s = pace_s, patience_s
        self._lock, self._ended = Lock(), Event()
        self._waiting: list[Moment] = []
        self._writer: Thread | None = None
        self._failing = False

    def take(self, moment: Moment) -> None:
        """Keep it, soon."""
        with self._lock:
            self._waiting.append(moment)
            if self._writer is None:
                self._writer = Thread(target=self._write, name="progress", daemon=True)
                self._writer.start()

    def end(self) -> None:
        """Keep what is left; returns when it is kept, or cannot be."""
        self._ended.set()
        if self._writer is not None:
            self._writer.join(self._patience_s)

    def _write(self) -> None:
        while not self._ended.wait(self._pace_s):
            self._flush()
        self._flush(last=True)

    def _flush(self, *, last: bool = False) -> None:
        with self._lock:
            taken, self._waiting = joined(self._waiting), []
        if not taken:
            return
        ready, rest = (taken, []) if last else whole_words(taken)
        hidden = (replace(each, text=self._hide(each.text)) for each in ready)
        try:
            self._repo.add(self._about, [part for each in hidden for part in bounded(each)])
        except StoreUnavailable as error:
            if not self._failing or last:
                structlog.get_logger("aiops.progress").warning(
                    "what the investigation does cannot be kept",
                    incident=self._about,
                    error=str(error),
                    lost=len(taken) if last else 0,
                )
            self._failing, rest = True, taken
        else:
            self._failing = False
        with self._lock:
            self._waiting = [*rest, *self._waiting][-MOST_WAITING:]


def _beside(one: Moment, other: Moment) -> bool:
    return (one.run, one.node) == (other.run, other.node)
