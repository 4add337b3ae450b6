"""Call-graph files: source,target[,weight] rows, or an adjacency matrix (row calls column)."""

import csv
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

from aiops.errors import InvalidData
from aiops.model import Call, Entity, ServiceGraph

_SOURCE = ("source", "caller", "from", "src")
_TARGET = ("target", "callee", "to", "dst", "destination")


def read_graph(path: Path, entity: Callable[[str], Entity]) -> ServiceGraph:
    """The graph in ``path``; ``entity`` makes an entity of a name.

    Raises:
        InvalidData: unreadable, neither of the two forms, a weight that is not a number.
    """
    rows = _rows(path)
    if not rows:
        raise InvalidData(path, "is empty")
    head = [field.strip().lower() for field in rows[0]]
    if head[0] in _SOURCE and len(head) > 1 and head[1] in _TARGET:
        calls = _listed(path, rows[1:])
        names = list(
            dict.fromkeys(name for source, target, _ in calls for name in (source, target))
        )
    else:
        names, calls = _matrix(path, rows)
    entities = {name: entity(name) for name in names}
    return ServiceGraph(
        tuple(entities.values()),
        tuple(Call(entities[source], entities[target], weight) for source, target, weight in calls),
    )


def _rows(path: Path) -> list[list[str]]:
    opening = gzip.open if path.suffix == ".gz" else open
    try:
        with opening(path, "rt", encoding="utf-8-sig", newline="") as lines:
            return [row for row in csv.reader(lines) if row]
    except UnicodeDecodeError as error:
        raise InvalidData(path, "is not UTF-8 text; save it as UTF-8") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidData(path, "is a truncated or broken gzip file; copy it again") from error
    except csv.Error as error:
        raise InvalidData(path, f"is not a CSV file ({error})") from error
    except OSError as error:
        raise InvalidData(path, f"cannot be read ({error.strerror})") from error


def _listed(path: Path, rows: list[list[str]]) -> list[tuple[str, str, float]]:
    calls = []
    for number, row in enumerate(rows, start=1):
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise InvalidData(path, "names no source or no target", row=number)
        weight = _weight(path, row[2], number) if len(row) > 2 else 1.0
        calls.append((row[0].strip(), row[1].strip(), weight))
    return calls


def _matrix(path: Path, rows: list[list[str]]) -> tuple[list[str], list[tuple[str, str, float]]]:
    names = rows[0][1:]
    if len(rows) < 2 or {row[0] for row in rows[1:]} != set(names) or len(set(names)) != len(names):
        raise InvalidData(path, "is neither source,target rows nor a square adjacency matrix")
    calls = []
    for number, row in enumerate(rows[1:], start=1):
        if len(row) != len(names) + 1:
            raise InvalidData(path, f"has {len(row) - 1} of {len(names)} weights", row=number)
        for target, text in zip(names, row[1:], strict=True):
            weight = _weight(path, text, number)
            if weight:
                calls.append((row[0], target, weight))
    return names, calls


def _weight(path: Path, text: str, row: int) -> float:
    try:
        return float(text) if text.strip() else 0.0
    except ValueError as error:
        raise InvalidData(path, f"weight {text!r} is not a number", row=row) from error
