"""Cluster read-outs, recorded tool answers and alert files (JSON, plain or gzip)."""

import gzip
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiops.errors import InvalidData
from aiops.model import AlertSignal, Entity, RecordedOutput


def read_json(path: Path) -> Any:
    """The JSON value in ``path``; raises InvalidData."""
    opening = gzip.open if path.suffix == ".gz" else open
    try:
        with opening(path, "rt", encoding="utf-8") as text:
            return json.load(text)
    except UnicodeDecodeError as error:
        raise InvalidData(path, "is not UTF-8 text; save it as UTF-8") from error
    except ValueError as error:
        raise InvalidData(path, f"is not JSON ({error})") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InvalidData(path, "is a truncated or broken gzip file; copy it again") from error
    except OSError as error:
        raise InvalidData(path, f"cannot be read ({error.strerror})") from error


def read_outputs(path: Path) -> tuple[RecordedOutput, ...]:
    """What each call answered: an object of call -> text (other values are kept as JSON)."""
    record = read_json(path)
    if not isinstance(record, dict):
        raise InvalidData(path, "must be an object of call -> output")
    return tuple(
        RecordedOutput(call, text if isinstance(text, str) else json.dumps(text))
        for call, text in record.items()
    )


def node_names(state: tuple[RecordedOutput, ...]) -> tuple[str, ...]:
    """The machines in a recorded ``kubectl get nodes``."""
    for output in state:
        if output.call == "kubectl get nodes":
            lines = output.text.splitlines()
            return tuple(line.split()[0] for line in lines[1:] if line.strip())
    return ()


def read_alerts(
    path: Path, entity: Callable[[str], Entity]
) -> tuple[tuple[AlertSignal, ...], tuple[str, ...]]:
    """The alerts of a recorded alert list, one for each piece of evidence, and what to say.

    An alert is ``{type, name, evidence: [text]}`` on a service or node, or a failing request
    ``{entry_service, request_method, url, occurrences, raw_error}``.
    """
    record = read_json(path)
    alerts = record.get("alerts", []) if isinstance(record, dict) else record
    if not isinstance(alerts, list):
        raise InvalidData(path, "must hold a list of alerts")
    found: list[AlertSignal] = []
    nameless = unread = 0
    for alert in alerts:
        if not isinstance(alert, dict) or not _is_texts(alert.get("evidence", [])):
            unread += 1
            continue
        name = alert.get("name") or alert.get("entry_service")
        if not isinstance(name, str) or name.lower().startswith("unknown"):
            nameless += 1
        elif "entry_service" in alert:
            found.append(_request(alert, entity(name)))
        else:
            found += _evidence(alert, name, entity)
    counted = (
        (nameless, f"alerts of {path.name} name no service; left out"),
        (unread, f"alerts of {path.name} are not built like one; left out"),
    )
    return tuple(found), tuple(f"{count} {what}" for count, what in counted if count)


def _is_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _request(alert: dict[str, Any], owner: Entity) -> AlertSignal:
    operation = f"{alert.get('request_method', '')} {alert.get('url', '')}".strip()
    detail = f"{alert.get('raw_error', '')} x{alert.get('occurrences', 1)}"
    return AlertSignal("trace", owner, operation, detail)


def _evidence(
    alert: dict[str, Any], name: str, entity: Callable[[str], Entity]
) -> list[AlertSignal]:
    is_node = alert.get("type") == "Node"
    owner = Entity("node", name) if is_node else entity(name)
    found = []
    for text in alert.get("evidence") or [str(alert.get("status", ""))]:
        head, _, rest = text.partition(" | ")
        found.append(AlertSignal("metric" if is_node else "service", owner, head, rest))
    return found
