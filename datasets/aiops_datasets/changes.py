"""Change files: what was done to the system while it was recorded (JSON, plain or gzip)."""

from pathlib import Path
from typing import Any, get_args

from aiops.errors import InvalidData
from aiops.model import Entity
from aiops.model.change import Change, ChangeKind
from aiops.model.entity import EntityKind
from aiops_datasets import clock
from aiops_datasets.snapshots import read_json


def read_changes(path: Path, namespace: str | None = None) -> tuple[Change, ...]:
    """The changes in a list of ``{time, entity: {kind, name}, kind, description, ref}``, by time.

    Args:
        path: ``time`` is in unix seconds; ``kind`` is one of ours, else "other"; ``ref`` may lack.
        namespace: of everything that is neither a node nor a namespace.

    Raises:
        InvalidData: unreadable, or an entry that is none.
    """
    record = read_json(path)
    if not isinstance(record, list):
        raise InvalidData(path, "must hold a list of changes")
    found = [_change(path, row, one, namespace) for row, one in enumerate(record, start=1)]
    return tuple(sorted(found, key=lambda one: one.at))


def _change(path: Path, row: int, one: Any, namespace: str | None) -> Change:
    try:
        kind, name = str(one["entity"]["kind"]), str(one["entity"]["name"])
        time, description = float(one["time"]), str(one["description"])
    except (KeyError, TypeError, ValueError) as error:
        reason = "is no change: it needs time, entity (kind, name) and description"
        raise InvalidData(path, reason, row=row) from error
    if kind not in get_args(EntityKind) or not clock.representable(time):
        raise InvalidData(path, f"{kind} {name} at {time:.15g}: no such kind, or no time", row=row)
    said = one.get("kind")
    return Change(
        at=clock.moment(time),
        entity=Entity(
            kind,  # type: ignore[arg-type]  # one of its values, as was just checked
            name,
            namespace=None if kind in ("node", "namespace") else namespace,
        ),
        description=description,
        kind=said if said in get_args(ChangeKind) else "other",
        ref=one.get("ref"),
    )
