"""Who may do what, from roles and bindings (Kubernetes documentation, "Using RBAC
Authorization"). Other authorizers of a cluster are not seen here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from aiops.analyze.state.api import Api, part, parts, text, texts


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody would do; ``resource`` may name a subresource: "pods/log"."""

    verb: str
    group: str
    resource: str
    name: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """Somebody who may, and by what."""

    subject: str
    binding: str
    role: str


def who_can(
    wish: Wish,
    bindings: Sequence[Api],
    roles: Mapping[tuple[str, str, str], Api],
) -> list[Grant]:
    """Everybody whom a binding gives a role that allows it.

    Args:
        bindings: RoleBindings of the namespace and ClusterRoleBindings.
        roles: by kind, namespace ("" for cluster roles) and name.
    """
    found = set()
    for binding in bindings:
        ref = part(binding, "roleRef")
        kind = text(ref, "kind")
        place = "" if kind == "ClusterRole" else text(binding, "metadata", "namespace")
        role = roles.get((kind, place, text(ref, "name")))
        if role is None or not any(allows(rule, wish) for rule in parts(role, "rules")):
            continue
        made = f"{text(binding, 'kind')}/{text(binding, 'metadata', 'name')}"
        found |= {Grant(who, made, f"{kind}/{text(ref, 'name')}") for who in _subjects(binding)}
    return sorted(found)


def allows(rule: Api, wish: Wish) -> bool:
    """Whether one rule of a role allows it."""
    names = texts(rule, "resourceNames")
    return (
        _any(texts(rule, "verbs"), wish.verb)
        and _any(texts(rule, "apiGroups"), wish.group)
        and _resource(texts(rule, "resources"), wish.resource)
        and (not names or wish.name in names)
    )


def _any(given: Sequence[str], wanted: str) -> bool:
    return "*" in given or wanted in given


def _resource(given: Sequence[str], wanted: str) -> bool:
    _, _, sub = wanted.partition("/")
    return _any(given, wanted) or (bool(sub) and f"*/{sub}" in given)


def _subjects(binding: Api) -> Iterator[str]:
    for one in parts(binding, "subjects"):
        place = text(one, "namespace")
        name = f"{place}/{text(one, 'name')}" if place else text(one, "name")
        yield f"{text(one, 'kind')} {name}"
