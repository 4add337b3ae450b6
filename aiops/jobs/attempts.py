"""One try at something that may go wrong in any way."""

from collections.abc import Callable
from threading import Event, Thread
from typing import TypeVar

from aiops.errors import AiopsError

T = TypeVar("T")


class Attempt:
    """Work in a thread of its own, which does not keep the process from ending.

    Args:
        work: what is tried.
        name: of the thread.
        over: called from the thread once the outcome is known.
    """

    def __init__(self, work: Callable[[], None], name: str, over: Callable[[], None]) -> None:
        self.failure: BaseException | None = None
        self._work, self._tell = work, over
        self._over = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    @property
    def over(self) -> bool:
        """Whether it is known how it went: ``failure``, or well."""
        return self._over.is_set()

    def _run(self) -> None:
        _, self.failure = tried(self._work)
        self._over.set()
        self._tell()


def tried(work: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    """What ``work`` returned, or what it raised: a defect costs one try, not the worker."""
    try:
        return work(), None
    except BaseException as error:  # noqa: BLE001  whoever calls looks at it
        return None, error


def described(failure: BaseException) -> str:
    """For logs and tables: what is fit to print as it is, a defect with its kind."""
    if isinstance(failure, AiopsError):
        return str(failure)
    return f"a defect of aiops: {type(failure).__name__}: {failure}"
