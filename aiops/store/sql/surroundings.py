"""What happened to the system and who calls whom: changes and graphs, whole as they came."""

import json
import struct
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, insert, select

from aiops.model import Call, Entity, ServiceGraph
from aiops.model.change import Change
from aiops.store.sql import services
from aiops.store.sql.floats import squeeze, unsqueeze
from aiops.store.sql.telemetry_tables import CHANGES, GRAPHS

_SIZE = struct.Struct("<I")


def write_changes(connection: Connection, changes: Sequence[Change]) -> None:
    """Keep those that are not kept yet. Inside a transaction that writes alone."""
    found = {_digest(change): change for change in changes}
    kept: set[bytes] = set()
    for some in services.in_parts(list(found)):
        query = select(CHANGES.c.digest).where(CHANGES.c.digest.in_(some))
        kept.update(connection.scalars(query))
    number = services.numbered(connection, {one.entity.service_name for one in found.values()})
    rows = [
        {
            "at": one.at,
            "service_id": number[one.entity.service_name],
            "digest": digest,
            "content": _plain(one),
        }
        for digest, one in found.items()
        if digest not in kept
    ]
    if rows:
        connection.execute(insert(CHANGES), rows)


def read_changes(
    connection: Connection, names: Sequence[str] | None, start: datetime, end: datetime
) -> tuple[Change, ...]:
    """The changes of these services in the window, ascending in time."""
    query = select(CHANGES.c.at, CHANGES.c.content).where(CHANGES.c.at >= start, CHANGES.c.at < end)
    if names is not None:
        query = query.where(CHANGES.c.service_id.in_(services.chosen(connection, names)))
    rows = connection.execute(query.order_by(CHANGES.c.at, CHANGES.c.id))
    return tuple(_change(row.at, row.content) for row in rows)


def write_graph(connection: Connection, start: datetime, graph: ServiceGraph) -> None:
    """Keep it from ``start`` on, unless one is kept from then on."""
    there = select(GRAPHS.c.start).where(GRAPHS.c.start == start)
    if connection.scalar(there) is None:
        row = {"start": start, "content": _packed(graph)}
        connection.execute(insert(GRAPHS), row)


def read_graph(connection: Connection, at: datetime) -> ServiceGraph:
    """The one kept from the latest moment that is not after ``at``; empty where there is none."""
    query = select(GRAPHS.c.content).where(GRAPHS.c.start <= at)
    content = connection.scalar(query.order_by(GRAPHS.c.start.desc()).limit(1))
    return ServiceGraph((), ()) if content is None else _graph(content)


def _plain(change: Change) -> dict[str, Any]:
    content = asdict(change)
    content["at"] = change.at.astimezone(UTC).isoformat()
    return content


def _change(at: datetime, content: dict[str, Any]) -> Change:
    given = {
        **content,
        "at": at,
        "entity": Entity(**content["entity"]),
        "evidence": tuple(content["evidence"]),
    }
    return Change(**given)


def _digest(change: Change) -> bytes:
    return blake2b(json.dumps(_plain(change), sort_keys=True).encode(), digest_size=16).digest()


def _packed(graph: ServiceGraph) -> bytes:
    ends = (end for call in graph.calls for end in (call.source, call.target))
    place = {entity: i for i, entity in enumerate(dict.fromkeys((*graph.nodes, *ends)))}
    content = {
        "entities": [asdict(entity) for entity in place],
        "nodes": [place[node] for node in graph.nodes],
        "calls": [
            [place[call.source], place[call.target], call.weight, call.last_seen]
            for call in graph.calls
        ],
    }
    plain = json.dumps(content).encode()
    return _SIZE.pack(len(plain)) + squeeze(plain)


def _graph(packed: bytes) -> ServiceGraph:
    (size,) = _SIZE.unpack_from(packed)
    content = json.loads(unsqueeze(packed[_SIZE.size :], size))
    entities = [Entity(**one) for one in content["entities"]]
    return ServiceGraph(
        tuple(entities[node] for node in content["nodes"]),
        tuple(Call(entities[a], entities[b], *more) for a, b, *more in content["calls"]),
    )
