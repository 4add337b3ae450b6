"""Whom an error line accuses: its writer, or the peer it speaks of."""

from dataclasses import dataclass

from aiops.analyze.logs.addresses import address_book, known_names
from aiops.analyze.logs.signatures import (
    PLAIN_ERROR,
    Signature,
    addresses,
    looked_up,
    named,
    signature_of,
)
from aiops.model import CaseData, FaultType

WITHOUT_A_NAME = 0.4
"""Share of its weight that a complaint about somebody keeps when it accuses its writer for want of
a name: the writer suffers, whoever is at fault."""


@dataclass(frozen=True, slots=True)
class Accusation:
    """What one line says.

    Attributes:
        service: the accused.
        kind, fault: see Signature.
        telling: how surely the accused is the cause, 0 to 1.
        peer: whether the line accuses another than its writer.
    """

    service: str
    kind: str
    fault: FaultType
    telling: float
    peer: bool


@dataclass(frozen=True, slots=True)
class Witnesses:
    """Reads accusations out of lines, with the names and addresses of one case."""

    names: frozenset[str]
    book: dict[str, str]

    @staticmethod
    def of(case: CaseData, logging: tuple[str, ...]) -> "Witnesses":
        """Knows the names of ``case``; ``logging``: the services that write lines."""
        listed, book = address_book(case)
        return Witnesses(known_names(case, logging) | listed, book)

    def accusation(self, writer: str, text: str) -> Accusation:
        """Whom ``text``, written by ``writer``, accuses of what."""
        signature = signature_of(text) or PLAIN_ERROR
        if signature.accuses == "writer":
            return _accusing(writer, signature, signature.telling, peer=False)
        peer = self._peer(writer, text)
        if peer is not None:
            return _accusing(peer, signature, signature.telling, peer=True)
        sought = looked_up(text)
        if sought is not None and not self._known(sought):
            # Nobody of that name exists here: the writer was told a wrong one.
            return Accusation(writer, "unknown_name_called", FaultType.BAD_CONFIG, 0.6, peer=False)
        return _accusing(writer, signature, signature.telling * WITHOUT_A_NAME, peer=False)

    def _peer(self, writer: str, text: str) -> str | None:
        """The last peer named, by name or address: causes are quoted innermost last."""
        found = [name for name in named(text, self.names) if name != writer]
        if found:
            return found[-1]
        answering = [self.book[n] for n in addresses(text) if n in self.book]
        return next((name for name in reversed(answering) if name != writer), None)

    def _known(self, host: str) -> bool:
        if "." in host and host.partition(".")[0].isdigit():
            return True  # an address, not a name
        return host in self.names or host.partition(".")[0] in self.names


def _accusing(service: str, signature: Signature, telling: float, *, peer: bool) -> Accusation:
    return Accusation(service, signature.kind, signature.fault, telling, peer)
