"""Loopback addresses: a block of 127/8 a lab, one address a pod and one a service."""

from __future__ import annotations

import itertools
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

from aiops.errors import AiopsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CLAIM = 47_808
_SHIFTS = (0, 20_000, 11_000, 30_000)


class NoFreeAddresses(AiopsError):
    """Every block of loopback addresses is taken by another lab, or this is no Linux."""

    def __init__(self) -> None:
        super().__init__(
            "no free block of loopback addresses (127.20.0.0 to 127.250.255.255): "
            "the lab needs Linux; if other labs run, end one with: aiops lab down --dir DIR"
        )


class NoFreePorts(AiopsError):
    """The ports that pods listen on are taken on every address of this machine."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"port {port} and its stand-ins are taken by a process that listens on all addresses; "
            "end it, or give the service another port in the topology"
        )


class Block:
    """127.N.0.0/16, held as long as it is open: pods below .128, services from there on."""

    def __init__(self, number: int, claim: socket.socket) -> None:
        self._number, self._claim = number, claim
        self._pods, self._services = self._addresses(1, 128), self._addresses(128, 255)

    @property
    def dns(self) -> str:
        """Where names are resolved."""
        return f"127.{self._number}.0.2"

    def pod(self) -> str:
        """The next pod's address; long after the first, addresses of gone pods come again."""
        return next(self._pods)

    def service(self) -> str:
        """The next service's address."""
        return next(self._services)

    def shift(self, ports: Iterable[int]) -> int:
        """What to add to these ports so that this user can listen on all of them here.

        Raises:
            NoFreePorts: one is taken on all addresses, wherever it is moved.
        """
        wanted, taken = sorted(set(ports)), 0
        for shift in _SHIFTS:
            with ExitStack() as stack:
                for port in wanted:
                    probe = stack.enter_context(socket.socket())
                    moved = port + shift if port + shift < 1 << 16 else port
                    try:
                        probe.bind((f"127.{self._number}.0.3", moved))
                    except OSError:
                        taken = port
                        break
                else:
                    return shift
        raise NoFreePorts(taken)

    def close(self) -> None:
        """Let another lab have it."""
        self._claim.close()

    def _addresses(self, first: int, last: int) -> Iterator[str]:
        octets = itertools.product(range(first, last), range(1, 255))
        return itertools.cycle(f"127.{self._number}.{high}.{low}" for high, low in octets)


def claim_block() -> Block:
    """The first free block; a socket bound in it keeps other labs out.

    Raises:
        NoFreeAddresses: there is none.
    """
    for number in range(20, 251):
        claim = socket.socket()
        try:
            claim.bind((f"127.{number}.0.1", _CLAIM))
            claim.listen(1)
        except OSError:
            claim.close()
            continue
        return Block(number, claim)
    raise NoFreeAddresses
