"""Names of tools on the wire: endpoints take letters, digits, "_" and "-", 64 at most."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_ODD: Final = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST: Final = 64


class WireNames:
    """Both ways between our names and an endpoint's; the same names give the same mapping."""

    def __init__(self, names: Iterable[str]) -> None:
        self._wire: dict[str, str] = {}
        self._ours: dict[str, str] = {}
        for name in dict.fromkeys(names):
            wire = self._free(_ODD.sub("_", name)[:_LONGEST])
            self._wire[name], self._ours[wire] = wire, name

    def of(self, name: str) -> str:
        """How a tool is called there; one that is no longer offered, too, for old turns."""
        return self._wire.get(name) or _ODD.sub("_", name)[:_LONGEST]

    def meant(self, wire: str) -> str | None:
        """Our name of what a model called ``wire``, by either name; None where there is none."""
        return self._ours.get(wire) or (wire if wire in self._wire else None)

    def near(self, wire: str) -> str:
        """What may have been meant, in words for the model; empty where nothing is near."""
        found = get_close_matches(wire, self._ours, n=1)
        return f"; did you mean {found[0]!r}?" if found else ""

    def _free(self, wire: str) -> str:
        number, found = 2, wire
        while found in self._ours:
            mark = f"_{number}"
            number, found = number + 1, wire[: _LONGEST - len(mark)] + mark
        return found
