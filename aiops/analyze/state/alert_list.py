"""A list of alerts, as a monitoring tool answers it, as signs."""

from collections.abc import Callable
from typing import Any

from aiops.model import AlertSignal, Entity


def signals(
    record: object, entity: Callable[[str], Entity]
) -> tuple[tuple[AlertSignal, ...], int, int]:
    """The alerts of a list, one for each piece of evidence.

    An alert is ``{type, name, evidence: [text]}`` on a service or node, or a failing request
    ``{entry_service, request_method, url, occurrences, raw_error}``.

    Args:
        record: the list, or an object that holds it as "alerts".
        entity: of a service, by its name.

    Returns:
        The signals; how many alerts name no service; how many are not built like one.

    Raises:
        ValueError: there is no list.
    """
    alerts = record.get("alerts", []) if isinstance(record, dict) else record
    if not isinstance(alerts, list):
        raise ValueError("must hold a list of alerts")
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
    return tuple(found), nameless, unread


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
