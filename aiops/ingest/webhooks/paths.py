"""A small language for places in a payload: ``a.b[0].c``, ``labels.*``, ``$.environment``.

Names are joined by dots; one with odd characters stands in brackets and quotes (``a["b.c"]``); a
number in brackets counts items from 0. ``*`` at the end means every member of an object. A path
starts at the alert; one that starts with ``$`` starts at the root of the payload.
"""

import re
from dataclasses import dataclass

from aiops.errors import InvalidInput

_STEP = re.compile(
    r"""(?:^|\.)(?P<name>[^.\[\]"'*$\s][^.\[\]"'\s]*)
    | (?:^|\.)(?P<all>\*)$
    | \[(?P<item>\d{1,6})\]
    | \[(?P<quote>["'])(?P<quoted>[^"']+)(?P=quote)\]""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Path:
    """One place in a payload.

    Attributes:
        text: as written.
        steps: names of members and numbers of items.
        rooted: whether it starts at the root of the payload.
        every: whether it ends in ``*``.
    """

    text: str
    steps: tuple[str | int, ...]
    rooted: bool = False
    every: bool = False

    def find(self, root: object, alert: object) -> object:
        """What stands there; None where nothing does."""
        at = root if self.rooted else alert
        for step in self.steps:
            if isinstance(step, str):
                at = at.get(step) if isinstance(at, dict) else None
            else:
                at = at[step] if isinstance(at, list) and step < len(at) else None
        return at

    def pointer(self, alert_at: str = "") -> str:
        """JSON pointer of the place, in an alert that stands at ``alert_at``."""
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in self.steps)
        return ("" if self.rooted else alert_at) + "".join(f"/{step}" for step in steps) or "/"


def path(text: str) -> Path:
    """The path that a text writes.

    Raises:
        InvalidInput: it is none; says where it stops making sense.
    """
    rooted = text.startswith("$")
    # Behind the root every name has its dot, as behind another name.
    at = 1 if rooted else 0
    steps: list[str | int] = []
    every = False
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or (at == 0 and text[0] == "."):
            raise InvalidInput(f"{text!r} is no path: it stops making sense at {text[at:]!r}")
        every = found["all"] is not None
        if found["item"] is not None:
            steps.append(int(found["item"]))
        elif not every:
            steps.append(found["name"] or found["quoted"])
        at = found.end()
    if not (steps or rooted):
        raise InvalidInput("an empty path; write the name of a member, or $ for the whole payload")
    return Path(text, tuple(steps), rooted, every)
