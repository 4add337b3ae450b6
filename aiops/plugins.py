"""Entry points: the one door for everything that can be added, ours and third parties' alike."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, cast

from aiops.errors import UnknownName

if TYPE_CHECKING:  # the ports bring numpy, which `aiops --help` has no use for
    from aiops.ports.analyzer import Analyzer
    from aiops.ports.cases import CaseSource
    from aiops.ports.reader import Reader


@cache
def _group(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=group)}


def names(group: str) -> tuple[str, ...]:
    """The names registered in ``group``, sorted; nothing is imported."""
    return tuple(sorted(_group(group)))


def load(group: str, name: str) -> Any:
    """The object registered as ``name`` in ``group``.

    Raises:
        UnknownName: nothing is registered under that name.
    """
    entries = _group(group)
    if name not in entries:
        raise UnknownName(group.removeprefix("aiops.").rstrip("s"), name, names(group))
    return entries[name].load()


def analyzer(name: str) -> "Analyzer":
    """The analyzer called ``name``; "name/no-part" is one that offers parts, with one left out.

    Raises:
        UnknownName: no such analyzer, or it has no such part.
    """
    base, _, part = name.partition("/no-")
    if base not in _group("aiops.analyzers"):
        raise UnknownName("method", name, names("aiops.analyzers"))
    found = load("aiops.analyzers", base)()
    if part:
        if not hasattr(found, "without"):
            raise UnknownName("method", name, names("aiops.analyzers"))
        found = found.without(part)
    return cast("Analyzer", found)


def readers() -> Iterator["Reader"]:
    """Every reader, in the order of their names."""
    for name in names("aiops.readers"):
        yield cast("Reader", load("aiops.readers", name)())


def case_sources() -> Iterator["CaseSource"]:
    """Every layout of recorded cases, in the order of their names."""
    for name in names("aiops.case_sources"):
        yield cast("CaseSource", load("aiops.case_sources", name)())
