"""A run's trajectory: one JSON object a line, in the order in which things happened."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Final

from aiops.model.canonical import canonical, digest
from aiops.model.run import Moment

SHORT: Final = 160
"""Characters of a moment on a terminal."""


def line_of(moment: Moment) -> str:
    """``moment`` as one line of JSON; ``sha256`` is that of its text."""
    return canonical({**asdict(moment), "at": moment.at.isoformat(), "sha256": digest(moment.text)})


def told(moment: Moment) -> str:
    """``moment`` for a person who watches."""
    text = " ".join(moment.text.split())
    if len(text) > SHORT:
        text = f"{text[: SHORT - 1]}…"
    return f"{moment.node}: {moment.kind}: {text}"


def to_each(*watchers: Callable[[Moment], None]) -> Callable[[Moment], None]:
    """One watcher that tells all of them."""

    def tell(moment: Moment) -> None:
        for each in watchers:
            each(moment)

    return tell
