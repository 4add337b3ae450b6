"""A run told to those who watch it, as it goes on."""

from collections.abc import Callable
from typing import Final

from aiops.model.run import Moment

SHORT: Final = 160
"""Characters of a moment on a terminal."""


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
