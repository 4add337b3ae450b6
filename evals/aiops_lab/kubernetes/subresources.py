"""status, scale, eviction, binding, token: the smaller doors to an object."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.access import User, service_account
from aiops_lab.kubernetes.cluster import Cluster, timestamp
from aiops_lab.kubernetes.deleting import evict, read_options
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.patches import InvalidPatch, json_patch, merge_patch
from aiops_lab.kubernetes.problems import wrong
from aiops_lab.kubernetes.request import Target
from aiops_lab.kubernetes.selectors import label_selector
from aiops_lab.kubernetes.store import Object
from aiops_lab.kubernetes.writing import PatchType, Write, Writer

_NO_PROCESS_DOOR = {
    "exec": "running commands in pods is not offered by the lab; read their logs instead",
    "attach": "attaching to pods is not offered by the lab; read their logs instead",
    "portforward": "pods of the lab listen on loopback already; see their podIP",
    "proxy": "pods and services of the lab listen on loopback already; see their IP",
}
TOKEN_LIFE_S = 3600


def refuse_what_is_not_offered(wanted: Target) -> None:
    """Say so where a subresource would reach into a pod's process.

    Raises:
        Refused: 405 with what to do instead.
    """
    first = wanted.subresource.split("/")[0]
    if first in _NO_PROCESS_DOOR and first in wanted.kind.subresources:
        raise problems.method_not_allowed(_NO_PROCESS_DOOR[first])


class Subresources:
    """Does what a request to a subresource asks for."""

    def __init__(
        self,
        cluster: Cluster,
        writer: Writer,
        tokens: dict[str, User],
        new_token: Callable[[], str],
    ) -> None:
        self._cluster, self._writer = cluster, writer
        self._tokens, self._new_token = tokens, new_token

    def do(
        self, wanted: Target, verb: str, body: Any, form: PatchType | None, how: Write
    ) -> tuple[int, Object]:
        """Answer one request: the HTTP status and the object.

        Raises:
            Refused: 404 where there is no such subresource, and as the subresource does.
        """
        kind, name, sub = wanted.kind, wanted.name, wanted.subresource
        if sub == "status" and kind.status:
            return self._status(wanted, verb, body, form, how)
        if sub == "scale" and kind.scale:
            return 200, self._scale(wanted, verb, body, form, how)
        if sub == "eviction" and kind.resource == "pods" and verb == "create":
            options = read_options(
                body.get("deleteOptions"), {"dryRun": "All"} if how.dry_run else {}
            )
            evict(self._cluster, wanted.namespace, name, options)
            return 201, _success()
        if sub == "binding" and kind.resource == "pods" and verb == "create":
            return 201, self._bind(wanted, body, how)
        if sub == "token" and kind.resource == "serviceaccounts" and verb == "create":
            return 201, self._issue_token(wanted, body)
        if sub == "finalize" and kind.resource == "namespaces" and verb == "update":
            return 200, self._writer.update(kind, "", name, body, how).object
        raise problems.no_such_path()

    def _find(self, wanted: Target) -> Object:
        found = self._cluster.find(wanted.kind.resource, wanted.namespace, wanted.name)
        if found is None:
            raise problems.not_found(wanted.kind, wanted.name)
        return found

    def _status(
        self, wanted: Target, verb: str, body: Any, form: PatchType | None, how: Write
    ) -> tuple[int, Object]:
        kind, namespace, name = wanted.kind, wanted.namespace, wanted.name
        if verb == "get":
            return 200, self._find(wanted)
        if verb == "update":
            return 200, self._writer.update(kind, namespace, name, body, how, "status").object
        if verb == "patch" and form is not None:
            return 200, self._writer.patch(kind, namespace, name, body, form, how, "status").object
        raise problems.method_not_allowed(verb)

    def _scale(
        self, wanted: Target, verb: str, body: Any, form: PatchType | None, how: Write
    ) -> Object:
        present = _scale_of(self._find(wanted))
        if verb == "get":
            return present
        if verb == "patch":
            try:
                body = json_patch(present, body) if form == "json" else merge_patch(present, body)
            except InvalidPatch as bad:
                message = str(bad)
                raise problems.Refused(422, "Invalid", message, kind=wanted.kind) from bad
        elif verb != "update":
            raise problems.method_not_allowed(verb)
        replicas = _wanted_replicas(wanted.kind, wanted.name, body)
        expected = (body.get("metadata") or {}).get("resourceVersion")

        def edit(obj: Object) -> None:
            if expected and expected != obj["metadata"]["resourceVersion"]:
                raise problems.conflict(wanted.kind, wanted.name)
            obj["spec"]["replicas"] = replicas

        key = (wanted.kind.resource, wanted.namespace, wanted.name)
        return _scale_of(self._writer.mutate(wanted.kind, key, how, "", edit).object)

    def _bind(self, wanted: Target, body: Any, how: Write) -> Object:
        node = (body.get("target") or {}).get("name", "")
        pod = self._find(wanted)
        if pod["spec"].get("nodeName"):
            why = f"pod {wanted.name} is already assigned to node {pod['spec']['nodeName']!r}"
            raise problems.conflict(wanted.kind, wanted.name, why)
        if not how.dry_run:
            self._cluster.change(pod, spec={**pod["spec"], "nodeName": node})
        return _success()

    def _issue_token(self, wanted: Target, body: Any) -> Object:
        account = self._find(wanted)
        life_s = (body.get("spec") or {}).get("expirationSeconds") or TOKEN_LIFE_S
        token = self._new_token()
        self._tokens[token] = service_account(
            wanted.namespace, wanted.name, account["metadata"]["uid"]
        )
        expires = timestamp(self._cluster.clock.now() + timedelta(seconds=life_s))
        return {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"name": wanted.name, "namespace": wanted.namespace},
            "spec": body.get("spec") or {},
            "status": {"token": token, "expirationTimestamp": expires},
        }


def _success() -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _scale_of(obj: Object) -> Object:
    metadata = obj["metadata"]
    wanted = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = label_selector(obj["spec"].get("selector"))
    text = ",".join(f"{r.key}={r.values[0]}" for r in selector.requirements if r.values)
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {name: metadata[name] for name in wanted if name in metadata},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": {"replicas": obj.get("status", {}).get("replicas", 0), "selector": text},
    }


def _wanted_replicas(kind: Kind, name: str, body: Any) -> int:
    replicas = (body.get("spec") or {}).get("replicas", 0) if isinstance(body, dict) else None
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise problems.bad_request("spec.replicas of a Scale is an integer")
    if replicas < 0:
        cause = wrong("spec.replicas", replicas, "must be greater than or equal to 0")
        raise problems.invalid(kind, name, (cause,))
    return replicas
