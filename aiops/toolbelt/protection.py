"""What is never changed, whoever approves."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from aiops.model.tool import Target
from aiops.toolbelt.places import place_of, plain_kind
from aiops.toolbelt.refusals import Refused


@dataclass(frozen=True, slots=True)
class Protection:
    """Patterns as of a shell; case is not looked at.

    Attributes:
        objects: "cluster/namespace/Kind/name"; without a namespace for what has none.
    """

    namespaces: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    def check(self, targets: Iterable[Target]) -> None:
        """Raises Refused, "protected", for the first target that is."""
        for target in targets:
            place = place_of(target)
            by = (
                _by("namespace", place.namespace, self.namespaces)
                or _by("kind", place.kind, tuple(plain_kind(kind) for kind in self.kinds))
                or _by("object", str(place), self.objects)
            )
            if by:
                raise Refused(
                    "protected",
                    f"{target} is protected ({by}): it is never changed from here; do it by hand "
                    "if it has to be",
                )


def _by(what: str, value: str | None, patterns: tuple[str, ...]) -> str | None:
    if value is None:
        return None
    for pattern in patterns:
        if fnmatchcase(value, pattern.casefold()):
            return f"{what} {pattern}"
    return None
