"""Reading server-sent events as a client does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Heard:
    """One event; ``kind`` is "" for a comment."""

    id: int
    kind: str
    data: dict[str, Any]


@contextmanager
def listening(
    client: httpx.Client, path: str, after: int | None = None
) -> Iterator[Iterator[Heard]]:
    """The events of a stream, each as it comes, until it ends or the block does."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with client.stream("GET", path, headers=headers) as stream:
        assert stream.status_code == 200, stream.read()
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        yield _events(stream.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[Heard]:
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if line:
            fields[name] = value.strip()
        elif fields.keys() != {"retry"}:
            number, kind = int(fields.get("id", 0)), fields.get("event", "")
            yield Heard(number, kind, json.loads(fields.get("data", "{}")))
            fields = {}
        else:
            fields = {}
