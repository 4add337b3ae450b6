"""The door to what investigations do while they do it."""

from collections.abc import Sequence
from typing import Protocol

from aiops.model.progress import Progress
from aiops.model.run import Moment


class ProgressRepo(Protocol):
    """Keeps the moments of investigations, and tells on the event bus that there are more."""

    def add(self, about: str, moments: Sequence[Moment]) -> None:
        """Keep what happened in the investigation of ``about``, in this order; () tells nobody.

        Raises:
            StoreUnavailable: none of it was kept.
        """
        ...

    def after(self, about: str, number: int, *, limit: int = 500) -> tuple[Progress, ...]:
        """What is kept of ``about`` above ``number``, the oldest first.

        Raises:
            StoreUnavailable: it cannot be read now.
        """
        ...

    def newest(self, about: str, *, limit: int = 200) -> tuple[Progress, ...]:
        """The last that is kept of the latest run about ``about``, the oldest of it first.

        Raises:
            StoreUnavailable: it cannot be read now.
        """
        ...

    def before_latest(self, about: str) -> int:
        """The number above which the latest run about ``about`` begins; 0 where there is none.

        Raises:
            StoreUnavailable: it cannot be read now.
        """
        ...
