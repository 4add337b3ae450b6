"""Names: which are slips of each other, and how things are put into words."""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from aiops.model import Entity
from aiops.model.cluster import Service
from aiops.model.pod_spec import Port

NEAR = 0.85
"""Likeness of two names (0 to 1) from which one is a slip of the other; "-" for "_" or a letter
more make .9 and above, two different services of one system stay below .8."""


def slip(host: str, name: str) -> bool:
    """Whether one name is a slip of the other."""
    if host == name:
        return False
    part = re.split(r"[-_.]", host)
    if host.startswith((f"{name}-", f"{name}_")) or "-".join(part[1:]) == name:
        return True
    return SequenceMatcher(None, host, name).ratio() >= NEAR


def shown(found: Iterable[Port]) -> str:
    """Ports in words."""
    return (
        ", ".join(
            f"{port.number}/{port.protocol}" + (f" ({port.name})" if port.name else "")
            for port in found
        )
        or "no ports"
    )


def entity_of(service: Service) -> Entity:
    """A service as something to accuse."""
    return Entity("service", service.name, namespace=service.namespace, cluster=service.cluster)
