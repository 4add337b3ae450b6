"""A parser of changes whose subjects a mapping file names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aiops.errors import InvalidInput
from aiops.ingest.changes import argocd, generic, github, gitlab
from aiops.ingest.changes.names import ServiceNames
from aiops.ingest.changes.reported import Reported, changes
from aiops.model.change import Change
from aiops.ports.webhook import Push

_Reads = Callable[[Push], Iterable[Reported]]
READS: Final[Mapping[str, _Reads]] = {
    "argocd": argocd.reported,
    "changes": generic.reported,
    "github": github.reported,
    "gitlab": gitlab.reported,
}


@dataclass(frozen=True, slots=True)
class MappedChanges:
    """A ChangeParser that asks ``names`` whose service each change is."""

    reads: _Reads
    names: ServiceNames

    def __call__(self, push: Push) -> tuple[Change, ...]:
        """See ChangeParser."""
        return changes(push, self.reads(push), self.names)


def mapped(kind: str, names: ServiceNames) -> MappedChanges:
    """The parser of ``kind`` with these names.

    Raises:
        InvalidInput: that kind takes no mapping.
    """
    if kind not in READS:
        raise InvalidInput(f"kind {kind!r} takes no mapping; these do: {', '.join(READS)}")
    return MappedChanges(READS[kind], names)
