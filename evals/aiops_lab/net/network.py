"""The lab's side of the network: the tables its process works by, kept to be sent again."""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from aiops.errors import AiopsError
from aiops_lab.pods.setup import bound

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from aiops_lab.net.addresses import Block
    from aiops_lab.net.weather import Link, Lookup

ANSWER_S = 5.0


class NetworkFailed(AiopsError):
    """The network's process could not do what was asked; the text says what."""


@dataclass(frozen=True, slots=True)
class _Endpoints:
    key: str
    service: str
    listen: tuple[tuple[str, int], ...]
    targets: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Tables:
    callers: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    endpoints: dict[str, _Endpoints] = field(default_factory=dict)
    exposed: dict[str, int] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    lookups: tuple[Lookup, ...] = ()


class Network:
    """Who is where. May be used from any thread.

    Args:
        block: where services get their addresses.
        shift: what is added to ports in this lab.
    """

    def __init__(self, block: Block, shift: int) -> None:
        self._block, self._shift = block, shift
        self._tables = _Tables()
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._socket: socket.socket | None = None
        self._answers = b""

    def attach(self, control: socket.socket) -> None:
        """Talk to a new process of the network; it is told everything.

        Raises:
            NetworkFailed: it cannot do something of it.
        """
        control.settimeout(ANSWER_S)
        with self._lock:
            self._socket, self._answers = control, b""
            tables = self._tables
            self._say({"do": "pods", "pods": tables.callers})
            for service, ip in tables.names.items():
                self._say({"do": "name", "service": service, "ip": ip})
            for one in tables.endpoints.values():
                self._say({"do": "endpoints", "endpoints": asdict(one)})
            self._say_weather()

    def detach(self) -> None:
        """The process is gone; what changes is kept for the next."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
            self._socket = None

    def place(self, ip: str, service: str) -> None:
        """A pod of a service lives at an address."""
        with self._lock:
            self._tables.callers[ip] = service
            self._say({"do": "pods", "pods": self._tables.callers})

    def remove(self, ip: str) -> None:
        """Nobody lives there any more."""
        with self._lock:
            if self._tables.callers.pop(ip, None) is not None:
                self._say({"do": "pods", "pods": self._tables.callers})

    def address(self, service: str) -> str:
        """The address of "namespace/name", given at the first question."""
        with self._lock:
            if service not in self._tables.names:
                ip = self._tables.names[service] = self._block.service()
                self._say({"do": "name", "service": service, "ip": ip})
            return self._tables.names[service]

    def endpoints(self, key: str, targets: Sequence[tuple[str, int]] | None) -> None:
        """What is ready behind "namespace/name:port": addresses with their container ports.

        Raises:
            NetworkFailed: the port cannot be listened on.
        """
        service, _, port = key.rpartition(":")
        with self._lock:
            place = (self.address(service), bound(int(port), self._shift))
            listen = [place] + [
                ("127.0.0.1", p) for k, p in self._tables.exposed.items() if k == key
            ]
            ready = tuple((ip, bound(p, self._shift)) for ip, p in targets or ())
            one = _Endpoints(key, service.partition("/")[2], tuple(listen), ready)
            if targets is None:
                self._tables.endpoints.pop(key, None)
            else:
                self._tables.endpoints[key] = one
            self._say({"do": "endpoints", "endpoints": asdict(one)})

    def expose(self, key: str, port: int) -> None:
        """Let a service port be reached at 127.0.0.1:port too, from its next endpoints on."""
        with self._lock:
            self._tables.exposed[key] = port

    def weather(self, links: Sequence[Link], lookups: Sequence[Lookup]) -> None:
        """All of the weather there is from now on; what fits a call adds up."""
        with self._lock:
            self._tables.links, self._tables.lookups = tuple(links), tuple(lookups)
            self._say_weather()

    def _say_weather(self) -> None:
        links = [asdict(one) for one in self._tables.links]
        lookups = [asdict(one) for one in self._tables.lookups]
        self._say({"do": "weather", "links": links, "lookups": lookups})

    def _say(self, message: dict[str, object]) -> None:
        """Send one message and wait until it is done; kept for later where nobody listens."""
        if self._socket is None:
            return
        number = next(self._numbers)
        try:
            self._socket.sendall(json.dumps({**message, "number": number}).encode() + b"\n")
            answer = json.loads(self._line(self._socket))
        except (OSError, EOFError):
            self.detach()  # its end is seen to by who started it, who attaches the next
            return
        if answer["failed"]:
            raise NetworkFailed(f"the lab's network: {answer['failed']}")

    def _line(self, control: socket.socket) -> bytes:
        while b"\n" not in self._answers:
            received = control.recv(1 << 16)
            if not received:
                raise EOFError
            self._answers += received
        line, _, self._answers = self._answers.partition(b"\n")
        return line
