"""All tools there are, by their exact names."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, TypeGuard

from aiops.errors import InvalidInput
from aiops.model.canonical import canonical
from aiops.model.tool import CAPABILITIES, Caller, ToolSpec
from aiops.ports.tools import Reading, Tool, Writing
from aiops.toolbelt.arguments import read_arguments
from aiops.toolbelt.places import Place, Places
from aiops.toolbelt.plan import Plan
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.schemas import Schemas

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class Item:
    """One tool, with what is computed from its spec once."""

    tool: Tool | Plan
    spec: ToolSpec
    schemas: Schemas
    places: Places


@dataclass(frozen=True, slots=True)
class Asked:
    """A call whose tool is known and whose arguments are valid.

    Attributes:
        arguments: parsed.
        text: the same, canonical.
    """

    item: Item
    arguments: Mapping[str, Any]
    text: str
    places: tuple[Place, ...]


class Catalog:
    """Looks tools up by name and by nothing else.

    Raises:
        InvalidInput: a tool whose name or schemas cannot be used, or whose name another one has,
            in whatever case.
    """

    def __init__(self, tools: Sequence[Tool | Plan]) -> None:
        self._items: dict[str, Item] = {}
        folded: dict[str, str] = {}
        for tool in tools:
            name = tool.spec.name
            if not _NAME.fullmatch(name):
                raise InvalidInput(f"tool {name!a}: a name is <toolset>.<verb>, plain ASCII")
            if name.casefold() in folded:
                raise InvalidInput(f"tool {name!r}: {folded[name.casefold()]!r} is there already")
            if not _does_as_it_says(tool):
                raise InvalidInput(f"tool {name!r}: its effect is not what it can do")
            folded[name.casefold()] = name
            self._items[name] = Item(tool, tool.spec, Schemas(tool.spec), Places(tool.spec))

    def specs(self) -> tuple[ToolSpec, ...]:
        """Of every tool, in the order of their names."""
        return tuple(self._items[name].spec for name in sorted(self._items))

    def spec(self, name: str) -> ToolSpec | None:
        """Of the tool called exactly ``name``."""
        item = self._items.get(name)
        return None if item is None else item.spec

    def ask(self, name: str, arguments: str, caller: Caller) -> Asked:
        """The call, checked as far as it can be without asking anybody.

        Raises:
            Refused: "unknown_tool", "capability" or "schema".
        """
        item = self._items.get(name)
        if item is None:
            raise Refused("unknown_tool", f"there is no tool {name!a}{self._meant(name)}")
        _must_be_capable(item.spec, caller)
        given = read_arguments(arguments)
        places = item.places.of(given)
        item.schemas.check_arguments(given)
        return Asked(item, given, canonical(given), places)

    def _meant(self, name: str) -> str:
        plain = unicodedata.normalize("NFKC", name).casefold()
        near = get_close_matches(plain, self._items, n=1)
        return f"; did you mean {near[0]!r}? Names are exact" if near else ""


def _does_as_it_says(tool: Tool | Plan) -> bool:
    if isinstance(tool, Plan):
        return True
    return is_writing(tool) if tool.spec.effect == "write" else is_reading(tool)


def is_writing(tool: Tool | Plan) -> TypeGuard[Writing]:
    """Whether it can change something."""
    return not hasattr(tool, "read") and hasattr(tool, "apply")


def is_reading(tool: Tool | Plan) -> TypeGuard[Reading]:
    """Whether it can only read."""
    return hasattr(tool, "read") and not hasattr(tool, "apply")


def _must_be_capable(spec: ToolSpec, caller: Caller) -> None:
    needed = "executor" if spec.effect == "write" else spec.capability
    if caller.capability not in CAPABILITIES or (
        CAPABILITIES.index(caller.capability) < CAPABILITIES.index(needed)
    ):
        raise Refused(
            "capability",
            f"{spec.name} is for callers with capability {needed!r}; {caller.name} has "
            f"{caller.capability!r}",
        )
