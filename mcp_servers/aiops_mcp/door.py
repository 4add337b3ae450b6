"""Who asks a server: by the signature of one of our processes, else as a visitor who only looks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from aiops.errors import NotAuthentic
from aiops.model.canonical import canonical
from aiops.model.investigation import AuditEntry
from aiops.model.tool import Caller, Capability, ToolCall
from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.ports.repositories import AuditLog
from aiops.toolbelt.mcp_identity import META, Seal, lesser

UNSIGNED_MOST: Final[Capability] = "probe"
"""Nobody writes without a signature, whatever they were granted."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever is connected, before any signature.

    Attributes:
        name: in the audit log: the token's, or whoever started the server.
        run: their own session: budgets are counted by it.
        most: what they were granted; a signature does not reach beyond it either.
        unsigned: what they may without a signature.
    """

    name: str
    run: str
    most: Capability
    unsigned: Capability = "observer"


@dataclass(frozen=True, slots=True)
class Door:
    """Tells whose call a request is; notes what is read beside tools, which no gateway sees."""

    seal: Seal
    clock: Clock
    ids: Ids
    audit: AuditLog

    def call(
        self, visitor: Visitor, meta: Mapping[str, Any] | None, tool: str, arguments: str
    ) -> ToolCall:
        """The call that a request stands for.

        A signature that does not hold counts as none: its caller may look, under a name that says
        so, and can never write.
        """
        given = (meta or {}).get(META)
        name = visitor.name
        if given is not None:
            try:
                signed = self.seal.opened(given, tool, arguments, self.clock.now())
            except NotAuthentic as error:
                name = f"{name} (not as signed: {error})"
            else:
                most = lesser(signed.caller.capability, visitor.most)
                return replace(signed, caller=replace(signed.caller, capability=most))
        unsigned = lesser(lesser(visitor.unsigned, visitor.most), UNSIGNED_MOST)
        if given is not None:
            unsigned = "observer"
        call_id = self.ids.new("call")
        return ToolCall(call_id, tool, arguments, Caller(name, unsigned, visitor.run), key=call_id)

    def note(self, visitor: Visitor, action: str, target: str, outcome: str) -> None:
        """One row for what was read, or refused.

        Args:
            target: as it was asked for, anybody's text.
        """
        plain = ascii(target)[1:-1][:300]
        detail = canonical({"run": visitor.run})
        self.audit.append(
            AuditEntry(self.clock.now(), visitor.name, action, plain, outcome, None, detail)
        )
