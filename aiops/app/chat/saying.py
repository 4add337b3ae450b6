"""An answer while it is made: lines, and what each of them rests on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiops.analyze.wording import listed
from aiops.model.incident import Incident
from aiops.model.investigation import Investigation
from aiops.model.thread import Cited, Ending

_EVIDENCE: Final = re.compile(r"\[((?:[A-Z]\d+)(?:, [A-Z]\d+)*)\]")


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, or a question back.

    Attributes:
        choices: names that may have been meant.
        approval: that waits for a person because of it.
    """

    text: str
    cites: tuple[Cited, ...] = ()
    ending: Ending = "answered"
    choices: tuple[str, ...] = ()
    approval: str | None = None


@dataclass(slots=True)
class Draft:
    """Collects lines and what they cite."""

    lines: list[str] = field(default_factory=list)
    cites: dict[str, Cited] = field(default_factory=dict)

    def add(self, line: str, *cites: Cited) -> None:
        """One more line."""
        self.lines.append(line)
        for one in cites:
            self.cites.setdefault(one.id, one)

    def add_from(self, investigation: Investigation, line: str) -> None:
        """A line whose "[E1]" are evidence of a report; marks that it lacks are left out."""
        claims = {item.id: item.claim for item in investigation.report.evidence}
        known = [ref for ref in refs_in(line) if ref in claims]
        self.add(
            _EVIDENCE.sub(lambda mark: _kept(mark, claims), line),
            *(Cited(ref, investigation.id, claims[ref]) for ref in known),
        )

    def said(self, ending: Ending = "answered") -> Said:
        """The whole."""
        return Said("\n".join(self.lines), tuple(self.cites.values()), ending)


def refs_in(text: str) -> tuple[str, ...]:
    """Ids that a text cites in square brackets, each once, in their order."""
    found = (ref for mark in _EVIDENCE.findall(text) for ref in mark.split(", "))
    return tuple(dict.fromkeys(found))


def marks(ids: Iterable[str]) -> str:
    """ " [E1, E4]", or " (inferred)" where nothing is cited."""
    cited = ", ".join(ids)
    return f" [{cited}]" if cited else " (inferred)"


def cite(incident: Incident) -> Cited:
    """An incident as what an answer rests on."""
    return Cited(incident.id, "incidents", incident.title)


def did_you_mean(unknown: str, near: Sequence[str], known: Sequence[str]) -> Said:
    """The question back where nothing is called so."""
    if near:
        return Said(
            f'I know nothing called "{unknown}". Did you mean {" or ".join(near)}?',
            ending="asks",
            choices=tuple(near),
        )
    there = f"I know {listed(known, most=8)}." if known else "Nothing has told me a name yet."
    return Said(
        f'I know nothing called "{unknown}", so I cannot say how it is. {there}', ending="asks"
    )


def _kept(mark: re.Match[str], claims: dict[str, str]) -> str:
    kept = [ref for ref in mark[1].split(", ") if ref in claims]
    return f"[{', '.join(kept)}]" if kept else ""
