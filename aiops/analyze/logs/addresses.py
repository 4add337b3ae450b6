"""Who answers at an address: names from everything the case knows."""

import re

from aiops.model import CaseData

_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])")
# What `kubectl get ... -o wide` prints above names and addresses.
_TABLE = re.compile(r"\bNAME\b.*\b(?:CLUSTER-IP|IP|ENDPOINTS)\b")
_GENERATED = re.compile(r"(?:-[a-f0-9]{6,10})?-[a-z0-9]{5}$|-\d+$")


def known_names(case: CaseData, logging: tuple[str, ...]) -> frozenset[str]:
    """Names of services: those that log, are traced, measured or drawn in a call graph."""
    window = case.window
    names = set(logging)
    if window.spans is not None:
        names |= set(window.spans.services)
    if window.metrics is not None:
        names |= {series.entity.service_name for series in window.metrics.series}
    if window.graph is not None:
        names |= {node.service_name for node in window.graph.nodes}
    return frozenset(name for name in names if name)


def address_book(case: CaseData) -> tuple[frozenset[str], dict[str, str]]:
    """What recorded listings of services and pods say.

    Returns:
        The names listed, and IP address -> the name beside it. A pod goes by its workload's name;
        an address that two names share is nobody's.
    """
    listed: set[str] = set()
    book: dict[str, str] = {}
    shared: set[str] = set()
    for output in (*case.window.cluster_state, *case.window.tool_outputs):
        if not _TABLE.search(output.text[:4_000]):
            continue
        column = None
        for line in output.text.splitlines():
            words = line.split()
            if _TABLE.search(line):
                column = words.index("NAME") if "NAME" in words else None
            elif column is not None and len(words) > column:
                name = _GENERATED.sub("", words[column])
                listed.add(name)
                for address in _ADDRESS.findall(line):
                    if book.setdefault(address, name) != name:
                        shared.add(address)
    alone = {address: name for address, name in book.items() if address not in shared}
    return frozenset(listed), alone
