"""How an MCP server is reached, and what is let in from it: nothing without an end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiops.toolbelt.apart import Bound

if TYPE_CHECKING:
    from mcp.server import Server

MB: Final = 1_000_000
MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Spawned:
    """A server that we start, and talk to over its standard input and output.

    Attributes:
        env: what it is given beside its path and language.
    """

    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return " ".join(self.command)


@dataclass(frozen=True, slots=True)
class Remote:
    """A server that is there already, over streamable HTTP."""

    url: str
    token: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class InProcess:
    """A server of this very process."""

    server: "Server[Any]"

    def __str__(self) -> str:
        return "in process"


Reach = Spawned | Remote | InProcess


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a server that we started may take of this machine, with all that it starts itself.

    Attributes:
        memory_bytes: resident, of all of them; allocated, four times that by each.
        cpu_s: of processor time between two answers.
        processes: that it may have beside itself.
    """

    memory_bytes: int = 1024 * MIB
    cpu_s: float = 60.0
    processes: int = 64


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is taken from a server at most.

    Attributes:
        message_bytes: of one message.
        between_bytes: of all that comes between two answers: progress, logs, noise.
        connect_s: until it has said who it is.
        process: for one that we start; None leaves it to its own judgement.
    """

    message_bytes: int = 4 * MB
    between_bytes: int = 16 * MB
    connect_s: float = 10.0
    process: Allowance | None = None


class Watch:
    """What is known about why a connection ended; the SDK does not say.

    Attributes:
        reason: in words.
        killed: what its process took too much of, where that was why, and the limit in words.
        answers: how many it has given.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self.killed: tuple[Bound, str] | None = None
        self.answers = 0

    def note(self, reason: str) -> None:
        """The first reason stands: those after it are its consequences."""
        self.reason = self.reason or reason

    def kill(self, bound: Bound, limit: str) -> None:
        """Its process is ended for what it took, unless the connection was over before."""
        if self.reason is None:
            self.killed = (bound, limit)
            self.note(limit)
