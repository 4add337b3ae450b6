"""What definitions define: kinds of custom resources, and cluster roles made of others."""

from collections.abc import Iterable

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name, with_condition
from aiops_lab.kubernetes.kinds import kinds_of
from aiops_lab.kubernetes.selectors import label_selector
from aiops_lab.kubernetes.store import Change, Object

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
ROLES = "clusterroles.rbac.authorization.k8s.io"


class Definitions:
    """Serves the kinds of every CustomResourceDefinition, and says so in its status."""

    locks = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def touched(self, change: Change) -> Iterable[Name]:
        """A definition."""
        return [change.now.key[1:]] if change.now.key[0] == DEFINITIONS else ()

    def reconcile(self, name: Name) -> float | None:
        """Serve it, or stop serving it and drop its objects."""
        definition = self._cluster.find(DEFINITIONS, *name)
        if definition is None:
            plural, _, group = name[1].partition(".")
            for kept in self._cluster.store.select(f"{plural}.{group}"):
                self._cluster.store.remove(kept.key)
            self._cluster.registry.define(name[1], [])
            return None
        self._cluster.registry.define(name[1], kinds_of(definition))
        now, conditions = self._cluster.now(), definition.get("status", {}).get("conditions")
        for kind, reason, text in (
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ):
            new = {"type": kind, "status": "True", "reason": reason, "message": text}
            conditions = with_condition(conditions, new, now)
        stored = [v["name"] for v in definition["spec"]["versions"] if v.get("storage")]
        status = {
            "acceptedNames": definition["spec"]["names"],
            "conditions": conditions,
            "storedVersions": stored,
        }
        self._cluster.change(definition, status=status)
        return None


class AggregatedRoles:
    """Fills cluster roles with the rules of those their aggregation rule chooses."""

    locks = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def touched(self, change: Change) -> Iterable[Name]:
        """Every aggregated role, when any cluster role changes."""
        if change.now.key[0] != ROLES:
            return ()
        return [
            kept.key[1:]
            for kept in self._cluster.store.select(ROLES)
            if kept.object.get("aggregationRule")
        ]

    def reconcile(self, name: Name) -> float | None:
        """Write the rules."""
        role = self._cluster.find(ROLES, *name)
        if role is None or not role.get("aggregationRule"):
            return None
        selectors = [
            label_selector(s) for s in role["aggregationRule"].get("clusterRoleSelectors") or ()
        ]
        rules: list[Object] = []
        for other in self._cluster.every(ROLES):
            labels = other["metadata"].get("labels") or {}
            if other is not role and any(s.matches(labels) for s in selectors):
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
        self._cluster.change(role, rules=rules)
        return None
