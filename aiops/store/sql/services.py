"""The numbers of service names: rows of telemetry refer to a service by one."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import TypeVar

from sqlalchemy import Connection, insert, select

from aiops.store.sql.telemetry_tables import SERVICES

MANY = 500
"""Keys asked for in one statement."""
T = TypeVar("T")


def digest(name: str) -> bytes:
    """What a name is found by, however long it is and whatever it holds."""
    return blake2b(_bytes(name), digest_size=16).digest()


def in_parts(wanted: Sequence[T]) -> Iterator[Sequence[T]]:
    """At most ``MANY`` at a time."""
    return (wanted[at : at + MANY] for at in range(0, len(wanted), MANY))


def numbers(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The number of each name that has one."""
    name_of = {digest(name): name for name in names}
    found: dict[str, int] = {}
    for some in in_parts(list(name_of)):
        query = select(SERVICES.c.digest, SERVICES.c.id).where(SERVICES.c.digest.in_(some))
        found.update((name_of[row.digest], row.id) for row in connection.execute(query))
    return found


def numbered(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The number of each name; new names get one. Inside a transaction that writes alone."""
    wanted = set(names)
    found = numbers(connection, wanted)
    new = sorted(wanted - found.keys())
    if new:
        rows = [{"digest": digest(name), "name": _bytes(name)} for name in new]
        connection.execute(insert(SERVICES), rows)
        found |= numbers(connection, new)
    return found


def chosen(connection: Connection, services: Sequence[str] | None) -> dict[int, str]:
    """Number -> name of those asked for, of all where None is."""
    if services is not None:
        return {number: name for name, number in numbers(connection, services).items()}
    rows = connection.execute(select(SERVICES.c.id, SERVICES.c.name))
    return {row.id: row.name.decode("utf-8", "surrogatepass") for row in rows}


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
