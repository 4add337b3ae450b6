"""A run told to those who watch it, as it goes on."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Lock
from typing import Final

from aiops.analyze.wording import plain
from aiops.app.legible import Legible
from aiops.app.progress import joined
from aiops.model.run import Moment

SHORT: Final = 160
"""Characters of a moment on a terminal."""


def told(moment: Moment) -> str:
    """``moment`` for a person who watches."""
    text = plain(" ".join(moment.text.split()))
    if len(text) > SHORT:
        text = f"{text[: SHORT - 1]}…"
    return f"{moment.node}: {moment.kind}: {text}"


def read_through(moments: Iterable[Moment]) -> list[Moment]:
    """Moments for a person who reads them at once: each answer of a model whole, and legible."""
    return [
        replace(each, text=Legible().read(each.text)) if each.kind == "words" else each
        for each in joined(moments)
    ]


class Growing:
    """A model's words on one line of a terminal, which grows as they come.

    Args:
        write: takes text without an end of line.
        keys: whether the names of values are shown, too; see ``Legible``.
    """

    def __init__(self, write: Callable[[str], None], *, keys: bool = True) -> None:
        self._write, self._keys = write, keys
        self._answer: Legible | None = None

    def more(self, piece: str, lead: str = "") -> None:
        """The next piece; ``lead`` stands before the first one of a line."""
        if self._answer is None:
            self._answer = Legible(keys=self._keys)
            self._write(lead)
        self._write(plain(self._answer.read(piece)))

    def end(self) -> None:
        """End the line, if one was begun."""
        if self._answer is not None:
            self._answer = None
            self._write("\n")


class Steps:
    """A Watch that tells a run on a terminal: a line for each step, and one for each answer.

    Args:
        write: takes text without an end of line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._words, self._lock = write, Growing(write), Lock()

    def __call__(self, moment: Moment) -> None:
        """Tell it; from any thread."""
        with self._lock:
            if moment.kind == "words":
                self._words.more(moment.text, f"{moment.node}: words: ")
            else:
                self._words.end()
                self._write(f"{told(moment)}\n")


def to_each(*watchers: Callable[[Moment], None]) -> Callable[[Moment], None]:
    """One watcher that tells all of them."""

    def tell(moment: Moment) -> None:
        for each in watchers:
            each(moment)

    return tell
