"""Who may do what: users, and RBAC over the roles and bindings that are kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.store import Object

_GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class User:
    """Who sent a request."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


def service_account(namespace: str, name: str, uid: str = "") -> User:
    """The user that a service account's token stands for."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    full = f"system:serviceaccount:{namespace}:{name}"
    return User(full, (*groups, "system:authenticated"), uid)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request does; `path` where it is about no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f'cannot {self.verb} path "{self.path}"'
        sub = f"/{self.subresource}" if self.subresource else ""
        where = (
            f' in the namespace "{self.namespace}"' if self.namespace else " at the cluster scope"
        )
        what = f'resource "{self.resource}{sub}" in API group "{self.group}"'
        return f"cannot {self.verb} {what}{where}"


def _has(allowed: list[str] | None, wanted: str) -> bool:
    return bool(allowed) and ("*" in allowed or wanted in allowed) if allowed else False


def rule_allows(rule: Mapping[str, Any], asked: Attributes) -> bool:
    """Whether one rule of a role allows it."""
    if not _has(rule.get("verbs"), asked.verb):
        return False
    if asked.path:
        return any(
            path in ("*", asked.path) or (path.endswith("*") and asked.path.startswith(path[:-1]))
            for path in rule.get("nonResourceURLs") or ()
        )
    resources = rule.get("resources") or []
    full = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    named = "*" in resources or full in resources
    named = named or (bool(asked.subresource) and f"*/{asked.subresource}" in resources)
    names = rule.get("resourceNames")
    return _has(rule.get("apiGroups"), asked.group) and named and (not names or asked.name in names)


class Authorizer:
    """Decides by the roles and bindings that are kept in a cluster now."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def allowed(self, user: User, asked: Attributes) -> bool:
        """Whether the user may; masters may everything."""
        if MASTERS in user.groups:
            return True
        return any(rule_allows(rule, asked) for rule in self.rules(user, asked.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Mapping[str, Any]]:
        """Every rule that holds for the user in a namespace ("" for the cluster)."""
        if MASTERS in user.groups:
            yield {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}
            yield {"verbs": ["*"], "nonResourceURLs": ["*"]}
        for binding in self._cluster.every(f"clusterrolebindings.{_GROUP}"):
            if _is_subject(user, binding, ""):
                yield from self._role_rules(binding["roleRef"], "")
        if namespace:
            for binding in self._cluster.every(f"rolebindings.{_GROUP}", namespace):
                if _is_subject(user, binding, namespace):
                    yield from self._role_rules(binding["roleRef"], namespace)

    def _role_rules(self, reference: Mapping[str, str], namespace: str) -> Iterator[Object]:
        if reference["kind"] == "ClusterRole":
            role = self._cluster.find(f"clusterroles.{_GROUP}", "", reference["name"])
        else:
            role = self._cluster.find(f"roles.{_GROUP}", namespace, reference["name"])
        yield from (role or {}).get("rules") or ()

    def may_grant(self, user: User, rules: list[Object], namespace: str) -> bool:
        """Whether the user holds all that the rules would give to others."""
        held = list(self.rules(user, namespace))
        return all(any(rule_allows(h, want) for h in held) for r in rules for want in _wanted(r))


def _wanted(rule: Mapping[str, Any]) -> Iterator[Attributes]:
    for verb in rule.get("verbs") or ():
        for path in rule.get("nonResourceURLs") or ():
            yield Attributes(verb, path=path)
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                plain, _, sub = resource.partition("/")
                for name in rule.get("resourceNames") or ("",):
                    yield Attributes(verb, group, plain, sub, "", name)


def _is_subject(user: User, binding: Object, namespace: str) -> bool:
    for subject in binding.get("subjects") or ():
        match subject["kind"]:
            case "User" if subject["name"] == user.name:
                return True
            case "Group" if subject["name"] in user.groups:
                return True
            case "ServiceAccount":
                where = subject.get("namespace") or namespace
                if user.name == f"system:serviceaccount:{where}:{subject['name']}":
                    return True
    return False
