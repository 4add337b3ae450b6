"""The fakes of ``belt`` behind real MCP servers, in process or in processes of their own.

Run as a program it serves "kubernetes" over standard input and output, or over HTTP, and appends a
line to a file for every audit row.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from belt import Bench, schema, spec

from aiops.app.tokens import ENTROPY_BYTES, issue
from aiops.model.canonical import canonical
from aiops.model.investigation import AuditEntry
from aiops.model.tool import Caller, Capability, ToolCall, ToolResult, ToolSpec
from aiops.ports.tools import Progress, ToolContext
from aiops.store.clock import SystemClock
from aiops.store.ids import CountedIds, TimedIds
from aiops.store.repositories import MemoryAudit, MemoryInvestigations
from aiops.store.tokens import MemoryTokens
from aiops.toolbelt.mcp_identity import Seal
from aiops_mcp.door import Door
from aiops_mcp.http import Tokens
from aiops_mcp.serving import listen, over_http, over_stdio
from aiops_mcp.shelf import Shelf

SECRET = b"0123456789abcdef0123456789abcdef"
TOOLSET = "kubernetes"
_NUMBERS = count(1)


@dataclass
class Slow:
    """A Reading tool that takes its time, tells how far it is, and notes when it was cut off."""

    spec: ToolSpec = field(
        default_factory=lambda: spec(
            "kubernetes.wait",
            canonical(
                {
                    "type": "object",
                    "properties": {"seconds": {"type": "number"}},
                    "required": ["seconds"],
                }
            ),
            result=canonical(
                {
                    "type": "object",
                    "properties": {"waited": {"$ref": "#/$defs/Waited"}},
                    "required": ["waited"],
                    "$defs": {"Waited": {"type": "number"}},
                }
            ),
            timeout_s=120.0,
        )
    )
    cut_off: int = 0

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        seconds = arguments["seconds"]
        context.report(Progress(0.25, "begun"))
        context.report(Progress(0.75, "nearly"))
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cut_off += 1
            raise
        return ToolResult(canonical({"waited": seconds}), f"waited {seconds:g} s")


class NotedAudit(MemoryAudit):
    """Also tells somebody of every row."""

    def __init__(self, note: Callable[[AuditEntry], None]) -> None:
        super().__init__()
        self._note = note

    def append(self, entry: AuditEntry) -> int:
        number = super().append(entry)
        self._note(entry)
        return number


def seen(capability: Capability = "observer") -> Any:
    """A tool that reads what we keep, which observers may."""
    from belt import Read

    return Read(
        spec("kubernetes.kept", schema(required=("cluster",)), capability=capability),
        lambda _: ToolResult(canonical({"kept": True}), "kept"),
    )


def shop(slow: Slow | None = None) -> Bench:
    """A bench with a tool for observers, and one that takes time."""
    return Bench(tools=(seen(), slow or Slow()))


def door(bench: Bench, toolset: str = TOOLSET, secret: bytes = SECRET) -> Door:
    return Door(Seal(secret, toolset), bench.clock, CountedIds(), bench.audit)


def shelf(playbooks: Path) -> Shelf:
    return Shelf(MemoryInvestigations(), playbooks)


def call(
    tool: str,
    arguments: object,
    capability: Capability = "probe",
    approval: str | None = None,
) -> ToolCall:
    """Of an investigator; each is another one."""
    number = next(_NUMBERS)
    caller = Caller("investigator", capability, "run-1")
    return ToolCall(f"call-{number}", tool, canonical(arguments), caller, f"key-{number}", approval)


def main(transport: str, folder: Path) -> None:
    """Serve until the input ends, or for ever; "address" and "audit" are files in ``folder``."""

    def note(entry: AuditEntry) -> None:
        row = {"actor": entry.actor, "action": entry.action, "outcome": entry.outcome}
        with (folder / "audit").open("a") as audit:
            audit.write(json.dumps(row) + "\n")

    bench, clock = shop(), SystemClock()
    bench.audit = NotedAudit(note)
    bench.clock = clock  # type: ignore[assignment]  # signatures are judged by the time of day
    object.__setattr__(bench.doors, "audit", bench.audit)
    gateway = bench.restarted()
    own = Door(Seal(SECRET, TOOLSET), clock, TimedIds(clock), bench.audit)
    if transport == "stdio":
        asyncio.run(over_stdio(TOOLSET, gateway, own, shelf(folder), "ann", "observer"))
        return
    tokens = MemoryTokens()
    for name in ("observer", "probe", "executor"):
        made = issue(
            tokens,
            own.ids,
            clock,
            name.encode().ljust(ENTROPY_BYTES, b"."),
            name,
            "viewer",
            by="test",
            scopes=(f"tools:{TOOLSET}:{name}",),
        )
        (folder / name).write_text(made.secret)
    listening = listen("127.0.0.1", 0)

    def ready(address: str) -> None:
        (folder / "address.new").write_text(address)
        (folder / "address.new").rename(folder / "address")

    asyncio.run(
        over_http(
            TOOLSET,
            gateway,
            own,
            shelf(folder),
            Tokens(tokens, clock, TOOLSET),
            listening,
            (),
            ready,
        )
    )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(sys.argv[1], Path(sys.argv[2]))
