"""A request as the API understands it: which verb on which resource."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.access import Attributes
from aiops_lab.kubernetes.kinds import Kind, Registry


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL names."""

    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def asks(self, verb: str) -> Attributes:
        """What is to be authorized for a verb on it."""
        return Attributes(
            verb,
            self.kind.group,
            self.kind.plural,
            self.subresource,
            self.namespace or (self.name if self.kind.resource == "namespaces" else ""),
            self.name,
        )


def target(path: str, registry: Registry) -> Target | None:
    """What a path names: None where it is about no resource.

    Raises:
        Refused: 404 where the resource is not served.
    """
    parts = [part for part in path.split("/") if part]
    if len(parts) > 2 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) > 3 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    # The old way to watch: /api/v1/watch/pods.
    if rest[0] == "watch":
        raise problems.no_such_path()
    kind = registry.find(group, version, rest[0])
    if kind is None or len(rest) > 4 or (namespace and not kind.namespaced):
        raise problems.no_such_path()
    name = rest[1] if len(rest) > 1 else ""
    return Target(kind, namespace, name, "/".join(rest[2:]))


def verb_of(method: str, wanted: Target, query: Mapping[str, str]) -> str:
    """The verb that is authorized.

    Raises:
        Refused: 405 where the method means nothing here.
    """
    many = not wanted.name
    if method == "GET":
        if query.get("watch") in ("true", "1"):
            return "watch"
        return "list" if many else "get"
    if method == "DELETE":
        return "deletecollection" if many else "delete"
    verbs = {"POST": "create", "PUT": "update", "PATCH": "patch"}
    if method not in verbs or (many and method != "POST"):
        raise problems.method_not_allowed(method)
    return verbs[method]
