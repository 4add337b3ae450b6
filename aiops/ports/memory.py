"""The door to what is remembered beyond one run."""

from datetime import datetime
from typing import Protocol

from aiops.model.memory import Cue, PastIncident, Routine


class Memory(Protocol):
    """Keeps past incidents and routines. Whoever changes one changes what they have read.

    An adapter on a database raises StoreUnavailable from all of it.
    """

    def remember(self, past: PastIncident) -> None:
        """Keep it; keeping the same again changes nothing.

        Raises:
            AlreadyKept: another one has its id.
        """
        ...

    def get(self, past_id: str) -> PastIncident:
        """The past incident with this id.

        Raises:
            NotKept: there is none, or it is forgotten.
        """
        ...

    def newest(self, *, limit: int = 1000) -> tuple[PastIncident, ...]:
        """The past incidents that ended last, newest first, of one time by descending id."""
        ...

    def revise(self, was: PastIncident, to: PastIncident) -> bool:
        """Put ``to`` with the next revision in the place of ``was``.

        Returns:
            False and nothing changes where ``was`` is no longer what is kept.

        Raises:
            ValueError: they are two.
        """
        ...

    def routine(self, cue: Cue) -> Routine | None:
        """What is known to help then, demoted or not; None where nothing is."""
        ...

    def learn(self, was: Routine | None, to: Routine) -> bool:
        """Put ``to`` with the next revision in the place of ``was``, None where there was none.

        Returns:
            False and nothing changes where ``was`` is no longer what is kept.

        Raises:
            ValueError: they have two cues.
        """
        ...

    def forget(self, before: datetime) -> int:
        """Forget incidents that ended and routines that were last used before then.

        Returns:
            How many of both.
        """
        ...
