"""What is measured may break in any way, and that is an outcome like any other.

A method is anybody's code, and with another constant even ours may not load: neither ends a sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Broke:
    """It raised.

    Attributes:
        reason: the kind of what it raised, and the first line of its text.
    """

    reason: str


def outcome_of(work: Callable[[], T]) -> T | Broke:
    """What ``work`` returns, or that it broke; Ctrl-C still ends everything."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001  see above: the one place of the evaluation
        return Broke(f"{type(error).__name__}: {error}".splitlines()[0])
