"""A hypothesis' own kind, mapped to whatever list of labels a benchmark uses.

By the words they share, weighed by how few labels have them. The list is data handed over; what
is known here is only which words mean the same in this trade.
"""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

_SAME: tuple[str, ...] = (
    "missing absent nonexistent",
    "wrong incorrect invalid bad",
    "mismatch differs conflict",
    "unavailable down stopped dead",
    "exceeded exhausted exhaustion used over",
    "claim pvc persistentvolumeclaim",
    "volume pv persistentvolume",
    "env environment",
    "var variable",
    "address host url endpoint",
    "dns name resolution resolve resolved",
    "delay delayed latency slow",
    "loss lost dropped retransmitted",
    "packet packets",
    "overload saturated throttled hog stress",
    "oom killed",
    "db database store",
    "replica replicas",
    "scaled deployment",
    "selector selectors",
    "taint taints tainted",
    "toleration tolerated tolerations",
    "cordon cordoned unschedulable",
    "anti antiaffinity",
    "capacity size",
    "mode modes",
    "bound binding occupied",
    "account serviceaccount",
    "pull pulled",
    "registry registries",
    "reference references name",
    "denied refused forbidden",
    "route routed misroute misrouted routing",
    "gateway ingress",
    "sidecar proxy mesh",
    "port ports",
    "map maps mapping mapped",
    "read readonly",
    "connection connections",
    "credential credentials password",
    "timing timeout delay",
    "node machine",
    "containerd runtime crio dockerd",
    "probe probes",
)
"""Words that stand for each other; the first is what they are reduced to."""
_ROOT = {word: group.split()[0] for group in reversed(_SAME) for word in group.split()}
_FILLER = frozenset(
    {
        "of",
        "by",
        "to",
        "the",
        "a",
        "on",
        "in",
        "for",
        "with",
        "and",
        "or",
        "is",
        "no",
        "not",
        "that",
    }
)


def words(kind: str) -> frozenset[str]:
    """The words of a label or kind, reduced to one of each meaning."""
    plain = re.findall(r"[a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", kind).lower())
    return frozenset(_ROOT.get(word, word) for word in plain if word not in _FILLER)


def match(kind: str, labels: Sequence[str]) -> tuple[tuple[str, float], ...]:
    """``labels`` by likeness to ``kind`` (0 to 1), likest first; those that share nothing are out.

    The likeness is the weight of the shared words over the weight of all words of both, a word
    weighing log((1 + labels) / labels that have it).
    """
    weights, sets = _weights(tuple(sorted(set(labels))))
    mine = words(kind)
    scored = []
    for label, theirs in sets.items():
        shared = sum(weights[word] for word in mine & theirs)
        if shared <= 0:
            continue
        # A word of the kind that no label has says nothing against any of them.
        alone = sum(weights.get(word, 0.0) for word in mine - theirs)
        lacking = sum(weights[word] for word in theirs - mine)
        scored.append((label, shared / (shared + alone + lacking)))
    return tuple(sorted(scored, key=lambda one: (-one[1], one[0])))


@lru_cache(maxsize=32)
def _weights(labels: tuple[str, ...]) -> tuple[dict[str, float], dict[str, frozenset[str]]]:
    sets = {label: words(label) for label in labels}
    count: dict[str, int] = {}
    for found in sets.values():
        for word in found:
            count[word] = count.get(word, 0) + 1
    return {word: math.log((1 + len(sets)) / n) for word, n in count.items()}, sets
