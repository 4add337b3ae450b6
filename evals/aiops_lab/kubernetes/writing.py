"""Creating and changing objects as the API does: decode, default, admit, validate, keep."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from aiops_lab.kubernetes import apply as server_side
from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.access import Attributes, Authorizer, User
from aiops_lab.kubernetes.admission import admit, admit_namespace
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.conversion import to_version
from aiops_lab.kubernetes.defaults import set_defaults
from aiops_lab.kubernetes.first_status import start_status
from aiops_lab.kubernetes.incoming import Unknown, read_object
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.patches import InvalidPatch, json_patch, merge_patch, strategic_merge
from aiops_lab.kubernetes.problems import wrong
from aiops_lab.kubernetes.replacing import SERVER_METADATA, keep_allocations, merged_part
from aiops_lab.kubernetes.schema.types import Shape, shape_of
from aiops_lab.kubernetes.store import Kept, Key, Missing, Object, Stale, Taken
from aiops_lab.kubernetes.validation import validate, validate_update

PatchType = Literal["json", "merge", "strategic", "apply"]
_RBAC = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class Write:
    """How a write is to be done.

    Args:
        unknown: what to do with fields that the type does not have.
        force: an apply takes fields over from other managers.
    """

    user: User
    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    unknown: Unknown = "Warn"


@dataclass(frozen=True, slots=True)
class Written:
    """What is kept now, and what the client should be warned of."""

    object: Object
    created: bool = False
    warnings: tuple[str, ...] = ()


class Writer:
    """Writes on behalf of users."""

    def __init__(self, cluster: Cluster, authorizer: Authorizer) -> None:
        self._cluster, self._authorizer = cluster, authorizer

    def create(self, kind: Kind, namespace: str, body: Any, how: Write) -> Written:
        """Keep a new object.

        Raises:
            Refused: it cannot be, may not be, or exists.
        """
        obj, warnings = read_object(self._cluster, kind, namespace, body, how.unknown)
        metadata = obj["metadata"]
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + self._cluster.suffix()
        for name in (*SERVER_METADATA, "resourceVersion", "deletionGracePeriodSeconds"):
            metadata.pop(name, None)
        metadata.update(uid=self._cluster.uid(), creationTimestamp=self._cluster.now())
        if kind.status and not kind.custom:
            obj.pop("status", None)
            metadata["generation"] = 1
        set_defaults(kind.resource, obj)
        if kind.namespaced:
            admit_namespace(self._cluster, kind, namespace, metadata.get("name", ""))
        causes = validate(kind, obj)
        if causes:
            raise problems.invalid(kind, metadata.get("name", ""), causes)
        self._may_grant(kind, obj, how.user)
        key = (kind.resource, namespace, metadata["name"])
        with self._cluster.store.lock:
            if self._cluster.store.get(*key) is not None:
                raise problems.already_exists(kind, metadata["name"])
            admit(self._cluster, kind, obj)
            start_status(kind, obj)
            self._own(kind, None, obj, how, "")
            if how.dry_run:
                return Written(obj, True, warnings)
            try:
                return Written(self._cluster.store.create(key, obj).object, True, warnings)
            except Taken as taken:
                raise problems.already_exists(kind, metadata["name"]) from taken

    def update(
        self, kind: Kind, namespace: str, name: str, body: Any, how: Write, part: str = ""
    ) -> Written:
        """Put a whole object in place of the present one; `part` "status" writes its status only.

        Raises:
            Refused: as for `create`, and 404, or 409 where it was changed meanwhile.
        """
        obj, warnings = read_object(self._cluster, kind, namespace, body, how.unknown)
        if obj["metadata"].get("name") != name:
            given = obj["metadata"].get("name", "")
            message = (
                f"the name of the object ({given}) does not match the name on the URL ({name})"
            )
            raise problems.bad_request(message)
        with self._cluster.store.lock:
            kept = self._present(kind, namespace, name)
            return self._replace(kind, kept, obj, how, part, warnings)

    def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        body: Any,
        form: PatchType,
        how: Write,
        part: str = "",
    ) -> Written:
        """Change an object by a patch; an apply creates what does not exist.

        Raises:
            Refused: as for `update`; 422 where a JSON patch does not fit.
        """
        with self._cluster.store.lock:
            kept = self._cluster.store.get(kind.resource, namespace, name)
            if kept is None:
                if form == "apply" and not part:
                    return self._apply_new(kind, namespace, name, body, how)
                raise problems.not_found(kind, name)
            if form == "apply":
                return self._apply(kind, kept, body, how, part)
            try:
                changed = _patched(to_version(kept.object, kind), body, form, kind)
            except InvalidPatch as bad:
                raise problems.Refused(422, "Invalid", str(bad), kind=kind, name=name) from bad
            obj, warnings = read_object(self._cluster, kind, namespace, changed, how.unknown)
            return self._replace(kind, kept, obj, how, part, warnings)

    def mutate(
        self, kind: Kind, key: Key, how: Write, part: str, edit: Callable[[Object], None]
    ) -> Written:
        """Change an object by a function on a copy of it, as a subresource does."""
        with self._cluster.store.lock:
            kept = self._present(kind, key[1], key[2])
            obj = copy.deepcopy(kept.object)
            edit(obj)
            return self._replace(kind, kept, obj, how, part, ())

    def _present(self, kind: Kind, namespace: str, name: str) -> Kept:
        kept = self._cluster.store.get(kind.resource, namespace, name)
        if kept is None:
            raise problems.not_found(kind, name)
        return kept

    def _replace(
        self,
        kind: Kind,
        kept: Kept,
        obj: Object,
        how: Write,
        part: str,
        warnings: tuple[str, ...],
        owners: server_side.Owners | None = None,
    ) -> Written:
        old = kept.object
        obj = merged_part(kind, old, obj, part)
        if not part:
            set_defaults(kind.resource, obj)
            keep_allocations(self._cluster, kind, old, obj)
        self._check_change(kind, old, obj, how, part)
        if _spec_differs(old, obj) and "generation" in old["metadata"]:
            obj["metadata"]["generation"] = old["metadata"]["generation"] + 1
        if owners is None:
            self._own(kind, old, obj, how, part)
        else:
            obj["metadata"].pop("managedFields", None)
            before = old["metadata"].get("managedFields")
            if before:
                obj["metadata"]["managedFields"] = before
            now = self._cluster.now()
            server_side.write_owners(obj["metadata"], owners, kind.api_version, now)
        expected = obj["metadata"].get("resourceVersion")
        if expected and expected != old["metadata"]["resourceVersion"]:
            raise problems.conflict(kind, old["metadata"]["name"])
        if how.dry_run:
            return Written(obj, warnings=warnings)
        try:
            written = self._cluster.store.replace(kept.key, obj, expected)
        except (Missing, Stale) as gone:
            raise problems.conflict(kind, old["metadata"]["name"]) from gone
        if _is_over(written.object):
            written = self._cluster.store.remove(kept.key)
        return Written(written.object, warnings=warnings)

    def _check_change(self, kind: Kind, old: Object, obj: Object, how: Write, part: str) -> None:
        metadata, name = obj["metadata"], old["metadata"]["name"]
        if metadata.get("uid") != old["metadata"]["uid"]:
            why = (
                f"Precondition failed: UID in precondition: {metadata.get('uid')}, "
                f"UID in object meta: {old['metadata']['uid']}"
            )
            raise problems.conflict(kind, name, why)
        if metadata.get("name") != name:
            cause = wrong("metadata.name", metadata.get("name"), "field is immutable")
            raise problems.invalid(kind, name, (cause,))
        if part:
            return
        causes = validate(kind, obj) + validate_update(kind, old, obj)
        if causes:
            raise problems.invalid(kind, name, causes)
        if obj.get("rules") != old.get("rules"):
            self._may_grant(kind, obj, how.user)

    def _apply_new(self, kind: Kind, namespace: str, name: str, body: Any, how: Write) -> Written:
        if not isinstance(body, dict):
            raise problems.bad_request("the body of the request is no object")
        metadata = {**body.get("metadata", {}), "name": name}
        own = {**body, "metadata": metadata}
        applied = Write(how.user, how.manager, how.dry_run, how.force, how.unknown)
        obj, _ = read_object(self._cluster, kind, namespace, own, applied.unknown)
        written = self.create(kind, namespace, own, applied)
        manager = server_side.Manager(how.manager, "Apply")
        new = {**written.object, "metadata": dict(written.object["metadata"])}
        new["metadata"].pop("managedFields", None)
        owners = {manager: frozenset(server_side.owned(obj, _shape(kind)))}
        now = self._cluster.now()
        server_side.write_owners(new["metadata"], owners, kind.api_version, now)
        if how.dry_run:
            return Written(new, True, written.warnings)
        kept = self._cluster.store.replace((kind.resource, namespace, name), new)
        return Written(kept.object, True, written.warnings)

    def _apply(self, kind: Kind, kept: Kept, body: Any, how: Write, part: str) -> Written:
        namespace, name = kept.key[1], kept.key[2]
        if not isinstance(body, dict):
            raise problems.bad_request("the body of the request is no object")
        config = {**body, "metadata": {**body.get("metadata", {}), "name": name}}
        config, warnings = read_object(self._cluster, kind, namespace, config, how.unknown)
        config["metadata"].pop("managedFields", None)
        expected = config["metadata"].pop("resourceVersion", None)
        if expected and expected != kept.object["metadata"]["resourceVersion"]:
            raise problems.conflict(kind, name)
        manager = server_side.Manager(how.manager, "Apply", part)
        owners = server_side.read_owners(kept.object["metadata"])
        new, owners = server_side.apply(
            kept.object, config, owners, manager, _shape(kind), force=how.force
        )
        new["metadata"] = dict(new["metadata"])
        return self._replace(kind, kept, new, how, part, warnings, owners)

    def _own(self, kind: Kind, old: Object | None, new: Object, how: Write, part: str) -> None:
        """Note in `new` who wrote what of it."""
        metadata = new["metadata"]
        metadata.pop("managedFields", None)
        owners: server_side.Owners = {}
        if old is not None:
            owners = server_side.read_owners(old["metadata"])
            if before := old["metadata"].get("managedFields"):
                metadata["managedFields"] = before
        manager = server_side.Manager(how.manager, "Update", part)
        after = server_side.after_update(owners, manager, old, new, _shape(kind))
        server_side.write_owners(metadata, after, kind.api_version, self._cluster.now())
        if not metadata["managedFields"]:
            del metadata["managedFields"]

    def _may_grant(self, kind: Kind, obj: Object, user: User) -> None:
        """Nobody gives more than they hold (RBAC escalation check)."""
        if kind.group != _RBAC:
            return
        namespace = obj["metadata"].get("namespace", "")
        name, verb, rules = obj["metadata"]["name"], "escalate", obj.get("rules") or []
        about = (kind.plural, name)
        if "roleRef" in obj:
            reference = obj["roleRef"]
            cluster_wide = reference["kind"] == "ClusterRole"
            resource = f"{'clusterroles' if cluster_wide else 'roles'}.{_RBAC}"
            where = "" if cluster_wide else namespace
            role = self._cluster.find(resource, where, reference["name"])
            verb, rules = "bind", (role or {}).get("rules") or []
            about = (resource.partition(".")[0], reference["name"])
        asked = Attributes(verb, _RBAC, about[0], "", namespace, about[1])
        if not self._authorizer.allowed(user, asked) and not self._authorizer.may_grant(
            user, rules, namespace
        ):
            why = f'user "{user.name}" is attempting to grant RBAC permissions not currently held'
            raise problems.forbidden(kind, name, why)


def _shape(kind: Kind) -> Shape:
    return shape_of(kind.type_name)


def _patched(current: Object, body: Any, form: PatchType, kind: Kind) -> Any:
    if form == "json":
        if not isinstance(body, list):
            raise problems.bad_request("a JSON patch is a list of operations")
        return json_patch(current, body)
    if not isinstance(body, dict):
        raise problems.bad_request("the patch is no object")
    if form == "strategic":
        if kind.custom:
            raise problems.unsupported_media_type(
                "application/strategic-merge-patch+json",
                ("application/json-patch+json", "application/merge-patch+json"),
            )
        return strategic_merge(current, body, _shape(kind))
    return merge_patch(current, body)


def _spec_differs(old: Object, new: Object) -> bool:
    free = {"metadata", "status"}
    return any(old.get(k) != new.get(k) for k in (old.keys() | new.keys()) - free)


def _is_over(obj: Object) -> bool:
    """A deletion that waited for finalizers, and there are none left."""
    metadata = obj["metadata"]
    waits = metadata.get("finalizers") or (obj.get("spec") or {}).get("finalizers")
    grace = metadata.get("deletionGracePeriodSeconds", 0)
    return bool(metadata.get("deletionTimestamp")) and not waits and not grace
