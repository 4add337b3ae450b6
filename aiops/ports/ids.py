"""Identifiers, passed in: a replay hands out the same ones again."""

from typing import Protocol


class Ids(Protocol):
    """Hands out identifiers that are unique in one installation."""

    def new(self, kind: str) -> str:
        """A fresh id such as "inv-01J..."; ``kind`` is its prefix."""
        ...
