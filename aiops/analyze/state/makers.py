"""What made an object that was read without its maker: generated names tell."""

import re

_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
_POD = re.compile(rf"(?P<name>.+)-{_HASH}{{6,10}}-{_HASH}{{5}}")
_MADE = {
    "replicaset": ("deployment", re.compile(rf"(?P<name>.+)-{_HASH}{{6,10}}")),
    "job": ("cronjob", re.compile(r"(?P<name>.+)-[0-9]{8,}")),
}
"""Kind -> what makes it, and how it is called after that."""


def maker_of(kind: str, name: str) -> tuple[str, str] | None:
    """Kind and name of what made a replica set or a job; None where its name says nothing."""
    if kind not in _MADE:
        return None
    maker, pattern = _MADE[kind]
    found = pattern.fullmatch(name)
    return (maker, found["name"]) if found else None


def deployment_of(pod: str) -> tuple[str, str] | None:
    """The deployment a pod is called after; None where its name says nothing."""
    found = _POD.fullmatch(pod)
    return ("deployment", found["name"]) if found else None
