"""What becomes of things whose owner is deleted, and of everything in a deleted namespace."""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name
from aiops_lab.kubernetes.deleting import FOREGROUND, ORPHAN, DeleteOptions, delete
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.store import Change, Key, Object


class Garbage:
    """Deletes dependents with their owners: in the background, before them, or not at all."""

    locks = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._dependents: dict[str, set[Key]] = defaultdict(set)
        self._waiting: dict[str, Key] = {}

    def touched(self, change: Change) -> Iterable[Name]:
        """Owners, by their uid, that are gone or wait to go, or whose dependent changed."""
        now = change.now.object["metadata"]
        owners = {owner["uid"] for owner in now.get("ownerReferences") or ()}
        for uid in owners:
            if change.type == "DELETED":
                self._dependents[uid].discard(change.now.key)
            else:
                self._dependents[uid].add(change.now.key)
        looks = [("", uid) for uid in owners if uid in self._waiting]
        uid = now["uid"]
        finalizers = now.get("finalizers") or ()
        if change.type == "DELETED":
            self._waiting.pop(uid, None)
            looks.append(("", uid))
        elif now.get("deletionTimestamp") and (FOREGROUND in finalizers or ORPHAN in finalizers):
            self._waiting[uid] = change.now.key
            looks.append(("", uid))
        return looks

    def reconcile(self, name: Name) -> float | None:
        """Deal with the dependents of one owner."""
        uid = name[1]
        owner = self._waiting.get(uid)
        found = self._cluster.store.get(*owner) if owner else None
        finalizers = (found.object["metadata"].get("finalizers") or ()) if found else ()
        if found and ORPHAN in finalizers:
            for dependent in self._of(uid):
                self._disown(dependent, uid)
            self._finish(found.object, ORPHAN)
        elif found and FOREGROUND in finalizers:
            left = self._of(uid)
            for dependent in left:
                self._delete(dependent, "Foreground")
            if not self._of(uid):
                self._finish(found.object, FOREGROUND)
        elif not found:
            for dependent in self._of(uid):
                others = [o for o in dependent["metadata"]["ownerReferences"] if o["uid"] != uid]
                if any(self._exists(dependent, other) for other in others):
                    self._disown(dependent, uid)
                else:
                    self._delete(dependent, "Background")
        return None

    def _of(self, uid: str) -> list[Object]:
        kept = [self._cluster.store.get(*key) for key in sorted(self._dependents.get(uid, ()))]
        return [
            k.object
            for k in kept
            if k and any(o["uid"] == uid for o in k.object["metadata"].get("ownerReferences") or ())
        ]

    def _exists(self, dependent: Object, reference: Object) -> bool:
        kind = self._cluster.registry.of(reference["apiVersion"], reference["kind"])
        if kind is None:
            return False
        namespace = dependent["metadata"].get("namespace", "") if kind.namespaced else ""
        found = self._cluster.find(kind.resource, namespace, reference["name"])
        return found is not None and found["metadata"]["uid"] == reference["uid"]

    def _delete(self, obj: Object, propagation: str) -> None:
        if obj["metadata"].get("deletionTimestamp"):
            return
        kind = self._cluster.registry.of(obj["apiVersion"], obj["kind"])
        if kind is not None:
            namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
            with suppress(Refused):
                delete(self._cluster, kind, namespace, name, DeleteOptions(propagation=propagation))

    def _disown(self, obj: Object, uid: str) -> None:
        metadata = obj["metadata"]
        references = [o for o in metadata["ownerReferences"] if o["uid"] != uid]
        self._cluster.change(obj, metadata={**metadata, "ownerReferences": references})

    def _finish(self, obj: Object, finalizer: str) -> None:
        """Take the finalizer off; without any left the object goes."""
        metadata = obj["metadata"]
        left = [f for f in metadata.get("finalizers") or () if f != finalizer]
        changed = self._cluster.change(obj, metadata={**metadata, "finalizers": left})
        kind = self._cluster.registry.of(obj["apiVersion"], obj["kind"])
        if changed and kind and not left:
            if kind.resource == "pods" and metadata.get("deletionGracePeriodSeconds"):
                return
            self._cluster.store.remove(
                (kind.resource, metadata.get("namespace", ""), metadata["name"])
            )


class Namespaces:
    """Gives new namespaces what they need, and empties those that are being deleted."""

    locks = True

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def touched(self, change: Change) -> Iterable[Name]:
        """A namespace; or one that waits for an object in it to go."""
        resource, namespace, name = change.now.key
        if resource == "namespaces":
            return [("", name)]
        if change.type == "DELETED" and namespace:
            return [("", namespace)]
        return ()

    def reconcile(self, name: Name) -> float | None:
        """Make the defaults, or delete the content and then the namespace."""
        namespace = self._cluster.find("namespaces", "", name[1])
        if namespace is None:
            return None
        if not namespace["metadata"].get("deletionTimestamp"):
            self._furnish(name[1])
            return None
        for resource in self._cluster.store.resources():
            kind = self._cluster.kind(resource)
            for obj in self._cluster.every(resource, name[1]) if kind.namespaced else ():
                if not obj["metadata"].get("deletionTimestamp"):
                    delete(self._cluster, kind, name[1], obj["metadata"]["name"], DeleteOptions())
        if self._is_empty(name[1]):
            self._cluster.store.remove(("namespaces", "", name[1]))
        return None

    def _is_empty(self, name: str) -> bool:
        return not any(
            self._cluster.store.select(resource, name)
            for resource in self._cluster.store.resources()
            if self._cluster.kind(resource).namespaced
        )

    def _furnish(self, name: str) -> None:
        if not self._cluster.find("serviceaccounts", name, "default"):
            account = {"metadata": {"name": "default", "namespace": name}}
            self._cluster.insert("serviceaccounts", account)
        if not self._cluster.find("configmaps", name, "kube-root-ca.crt"):
            root = {
                "metadata": {"name": "kube-root-ca.crt", "namespace": name},
                "data": {"ca.crt": ""},
            }
            self._cluster.insert("configmaps", root)
