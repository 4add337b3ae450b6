"""What of other people's MCP servers somebody has looked at and accepted: pins.

A tool of a third party exists for us as it was when a person pinned it: name, description, schemas.
What the server says later is compared with that, and a tool that changed ("rug pull") is not called
until a person pins it anew. Pinned hashes are the guard that arXiv 2506.13538 asks for, since
descriptions are read by models and servers can change them at any time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from aiops.errors import InvalidInput, ToolFailed
from aiops.model.canonical import canonical, digest, parsed

if TYPE_CHECKING:
    from mcp_types import Tool

FILE: Final = Path("mcp-pins.json")
SCHEMA: Final = "aiops.mcp-pins/1"
Change = Literal["same", "new", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Pin:
    """One tool, as it was accepted.

    Attributes:
        definition: canonical JSON of all that a server says of it.
    """

    definition: str

    @property
    def name(self) -> str:
        """As its server calls it."""
        return str(parsed(self.definition)["name"])

    @property
    def digest(self) -> str:
        """sha256 of the definition."""
        return digest(parsed(self.definition))


@dataclass(frozen=True, slots=True)
class Pinned:
    """One server's pins.

    Attributes:
        reach: command or address that they were taken from; another one has none.
        by, at: who accepted them, and when, ISO 8601.
    """

    reach: str
    by: str
    at: str
    pins: tuple[Pin, ...] = ()

    def pin(self, tool: str) -> Pin | None:
        """The pin of a tool, by the name its server gives it."""
        return next((each for each in self.pins if each.name == tool), None)


@dataclass(frozen=True, slots=True)
class Pins:
    """Every server's pins, by the name it is configured under."""

    servers: Mapping[str, Pinned] = field(default_factory=dict)

    def of(self, server: str, reach: str) -> Pinned:
        """The pins that hold for a server that is reached so; none where nobody pinned it there."""
        found = self.servers.get(server)
        return found if found is not None and found.reach == reach else Pinned(reach, "", "")

    def with_server(self, server: str, pinned: Pinned) -> "Pins":
        """The same, with another server's pins, or new ones of a known one."""
        return Pins({**self.servers, server: pinned})


def pin_of(tool: "Tool") -> Pin:
    """The pin of a tool as its server lists it now.

    Raises:
        ToolFailed: "invalid": its schemas are so deep that nothing can write them down.
    """
    try:
        said = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    except (ValueError, RecursionError) as error:
        raise ToolFailed("invalid", f"tool {tool.name[:64]!a} cannot be read: {error}") from error
    said.pop("icons", None)  # pictures reach no model
    return Pin(canonical(said))


def compared(pinned: Pinned, listed: Sequence["Tool"]) -> dict[str, Change]:
    """What became of every tool that is pinned or listed, by its name."""
    now = {each.name: pin_of(each).digest for each in listed}
    then = {each.name: each.digest for each in pinned.pins}
    return {
        name: "gone"
        if name not in now
        else "new"
        if name not in then
        else "same"
        if now[name] == then[name]
        else "changed"
        for name in sorted(now.keys() | then.keys())
    }


def read(path: Path) -> Pins:
    """The pins of a file; none where there is no file.

    Raises:
        InvalidInput: it cannot be read, or was changed by hand.
    """
    try:
        said = json.loads(path.read_text("utf-8"))
        if said["schema"] != SCHEMA:
            raise InvalidInput(f"{path}: its schema is {said['schema']!r}, not {SCHEMA!r}")
        return Pins({name: _server(path, name, each) for name, each in said["servers"].items()})
    except FileNotFoundError:
        return Pins()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(
            f"{path}: no file of pins: {error}; restore it, or pin anew with 'aiops mcp pin'"
        ) from error


def write(path: Path, pins: Pins) -> None:
    """Keep the pins: one file, whole or not at all, in an order that diffs well."""
    servers = {
        name: {
            "reach": each.reach,
            "by": each.by,
            "at": each.at,
            "tools": [
                {"sha256": pin.digest, "definition": dict(parsed(pin.definition))}
                for pin in sorted(each.pins, key=lambda pin: pin.name)
            ],
        }
        for name, each in sorted(pins.servers.items())
    }
    text = json.dumps({"schema": SCHEMA, "servers": servers}, indent=2, ensure_ascii=False)
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(text + "\n", "utf-8")
    beside.replace(path)


def _server(path: Path, name: str, said: Mapping[str, Any]) -> Pinned:
    pins = []
    for each in said["tools"]:
        pin = Pin(canonical(each["definition"]))
        if pin.digest != each["sha256"]:
            raise InvalidInput(
                f"{path}: {name}.{pin.name} was changed by hand: its hash does not fit; pin it "
                f"anew with 'aiops mcp pin {name}'"
            )
        pins.append(pin)
    return Pinned(str(said["reach"]), str(said["by"]), str(said["at"]), tuple(pins))
