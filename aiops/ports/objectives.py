"""The door to what users feel: whether objectives hold after something was changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiops.model.tool import Target


@dataclass(frozen=True, slots=True)
class Held:
    """Whether objectives held after a change.

    Attributes:
        held: False where one burns its budget faster than before; None where nobody can tell.
        seen: in a sentence, with numbers, or why nobody can tell.
        mended: whether one that burnt too fast before burns markedly slower, or slowly enough;
            None where none did, or nobody can tell.
        early: whether one burnt too fast before, and it is too soon to tell of any; a later look
            may know.
    """

    held: bool | None
    seen: str
    mended: bool | None = None
    early: bool = False


class Objectives(Protocol):
    """Judges changes by the objectives of the services they concern."""

    def covering(self, targets: Sequence[Target]) -> tuple[str, ...]:
        """Names of those that changes of these objects could break or mend; reads no metrics."""
        ...

    def held(
        self, targets: Sequence[Target], changed: datetime, since: datetime, until: datetime
    ) -> Held:
        """Whether those objectives burn no faster from ``since`` to ``until`` than before.

        Waits for sources. What cannot be read is no verdict: ``held`` is then None.

        Args:
            changed: when the first change was made; before is what lies before it.
            since: when all of it had been seen to reach its end.
        """
        ...
