"""The network's process: balances connections over ready pods, answers names, makes weather.

A listening socket a service port; the caller is known by its source address. As with kube-proxy,
balancing is by connection, and a port with nothing ready behind it refuses connections. Where the
pod itself refuses, the caller sees a reset: its connection to the proxy stood already.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
from typing import TYPE_CHECKING, Any

from aiops_lab.net.proxy import Balancer, Table
from aiops_lab.net.weather import Link, Lookup, answer

if TYPE_CHECKING:
    import socket

BACKLOG = 512


def run(control: socket.socket, dns: tuple[str, int], seed: int) -> int:
    """Do as the lab says over ``control`` until it closes it."""
    import uvloop

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(control, dns, seed))
    return 0


async def _serve(control: socket.socket, dns: tuple[str, int], seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - weather, no secrets
    network = _Network(Table(), rng)
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Names(network), local_addr=dns
    )
    reader, writer = await asyncio.open_unix_connection(sock=control, limit=1 << 24)
    while line := await reader.readline():
        said = json.loads(line)
        failed = await network.do(said)
        writer.write(json.dumps({"number": said["number"], "failed": failed}).encode() + b"\n")


class _Network:
    def __init__(self, table: Table, rng: random.Random) -> None:
        self.table, self._rng = table, rng
        self.lookups: tuple[Lookup, ...] = ()
        self.names: dict[str, str] = {}  # "namespace/name" -> address
        self._balancers: dict[str, Balancer] = {}
        self._servers: dict[tuple[str, str, int], asyncio.Server] = {}

    async def do(self, said: dict[str, Any]) -> str | None:
        """Carry out one message; what failed, in words."""
        match said["do"]:
            case "pods":
                self.table.callers = said["pods"]
            case "weather":
                self.lookups = tuple(Lookup(**one) for one in said["lookups"])
                self.table.change(tuple(Link(**one) for one in said["links"]))
            case "name":
                self.names[said["service"]] = said["ip"]
            case "endpoints":
                return await self._endpoints(**said["endpoints"])
        return None

    async def _endpoints(
        self, key: str, service: str, listen: list[tuple[str, int]], targets: list[tuple[str, int]]
    ) -> str | None:
        balancer = self._balancers.setdefault(key, Balancer(service, self.table, self._rng))
        balancer.targets = [(host, port) for host, port in targets]
        wanted = {(key, host, port) for host, port in listen} if targets else set()
        for place in [p for p in self._servers if p[0] == key and p not in wanted]:
            self._servers.pop(place).close()
        for place in wanted - set(self._servers):
            try:
                self._servers[place] = await asyncio.get_running_loop().create_server(
                    balancer.accept, place[1], place[2], backlog=BACKLOG
                )
            except OSError as error:
                return f"cannot listen on {place[1]}:{place[2]}: {error.strerror}"
        return None


class _Names(asyncio.DatagramProtocol):
    """Answers ``<number> <name> <namespace>``."""

    def __init__(self, network: _Network) -> None:
        self._network = network
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a datagram endpoint's transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        parts = data.decode("ascii", "replace").split(" ")
        if len(parts) != 3 or self._transport is None:
            return
        number, name, namespace = parts
        caller = self._network.table.callers.get(addr[0])
        said = answer(self._network.lookups, caller, name, addr[0])
        if said == "TIMEOUT":
            return
        if said is None:
            host, _, rest = name.partition(".")
            key = f"{rest.split('.')[0] or namespace}/{host}"
            said = self._network.names.get(key, "NXDOMAIN")
        self._transport.sendto(f"{number} {said}".encode(), addr)
