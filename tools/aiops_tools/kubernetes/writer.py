"""Everything that can be changed of a cluster: the only handle that actions have.

It asks with the identity that writes, for reads before and after too, so that what is previewed
is what that identity sees. Secrets are out of its reach, and there is no path to exec.
"""

from typing import Any, Literal

from aiops.errors import ToolFailed
from aiops_tools.kubernetes.connection import Connection, Verb, path
from aiops_tools.kubernetes.kinds import SECRET, Kind
from aiops_tools.kubernetes.sealed import Api

Form = Literal["merge", "strategic-merge", "json"]
FIELD_MANAGER = "aiops"


class Writer:
    """Changes one cluster; safe to share between threads.

    ``dry_run`` asks the API server to go all the way and keep nothing.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.cluster = connection.cluster

    def one(self, kind: Kind, namespace: str | None, name: str) -> Api:
        """One object, whole. Raises ToolFailed."""
        found = self._ask("GET", kind, namespace, name, "", {})
        return {**found, "kind": kind.name}

    def every(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> list[Api]:
        """All objects of a kind. Raises ToolFailed."""
        items: list[Api] = []
        after = ""
        while True:
            query: dict[str, str | int | bool] = {"limit": 500}
            query |= {"labelSelector": labels} if labels else {}
            query |= {"fieldSelector": fields} if fields else {}
            query |= {"continue": after} if after else {}
            found = self._ask("GET", kind, namespace, "", "", query)
            items += [{**one, "kind": kind.name} for one in found.get("items") or ()]
            after = (found.get("metadata") or {}).get("continue") or ""
            if not after:
                return items

    def patch(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        body: object,
        *,
        form: Form = "merge",
        dry_run: bool,
        subresource: str = "",
    ) -> Api:
        """The object as it is (or would be) afterwards. Raises ToolFailed."""
        content = f"application/{form}-patch+json"
        query = _query(dry_run)
        return self._ask("PATCH", kind, namespace, name, subresource, query, body, content)

    def replace(
        self, kind: Kind, namespace: str | None, name: str, body: Api, *, dry_run: bool
    ) -> Api:
        """The object as it is (or would be) afterwards; 409 where ``body``'s version is not the
        current one. Raises ToolFailed.
        """
        return self._ask("PUT", kind, namespace, name, "", _query(dry_run), body)

    def delete(
        self,
        kind: Kind,
        namespace: str | None,
        name: str,
        *,
        dry_run: bool,
        preconditions: dict[str, str] | None = None,
        grace_s: int | None = None,
    ) -> Api:
        """What the API says of it. ``preconditions``: uid, resourceVersion. Raises ToolFailed."""
        body: Api = {"apiVersion": "v1", "kind": "DeleteOptions"}
        body |= {"preconditions": preconditions} if preconditions else {}
        body |= {"gracePeriodSeconds": grace_s} if grace_s is not None else {}
        body |= {"dryRun": ["All"]} if dry_run else {}
        return self._ask("DELETE", kind, namespace, name, "", {}, body)

    def evict(
        self,
        namespace: str,
        pod: str,
        *,
        dry_run: bool,
        preconditions: dict[str, str] | None = None,
    ) -> Api:
        """Ask the pod to go, as its disruption budgets allow. Raises ToolFailed."""
        options: dict[str, Any] = {"preconditions": preconditions} if preconditions else {}
        options |= {"dryRun": ["All"]} if dry_run else {}
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": namespace},
            "deleteOptions": options,
        }
        return self._connection.json(
            "POST",
            path("api", "v1", "namespaces", namespace, "pods", pod, "eviction"),
            _query(dry_run),
            asked=f"eviction of pod {pod} in {namespace}",
            body=body,
        )

    def close(self) -> None:
        """Give connections back."""
        self._connection.close()

    def _ask(
        self,
        verb: Verb,
        kind: Kind,
        namespace: str | None,
        name: str,
        subresource: str,
        query: dict[str, str | int | bool],
        body: object = None,
        content: str = "application/json",
    ) -> Api:
        if kind.name == SECRET.name:
            raise ToolFailed("invalid", "Secrets are neither read nor changed here; use your vault")
        if subresource not in ("", "scale"):
            raise ToolFailed("invalid", f"there is no way here to {subresource}")
        if verb != "GET" and not name:
            raise ToolFailed("invalid", "say which object is meant; a whole kind is never changed")
        place = path("namespaces", namespace) if kind.namespaced and namespace is not None else ""
        parts = [part for part in (kind.plural, name, subresource) if part]
        where = f" in {namespace}" if namespace else ""
        asked = f"{_WORDS[verb]} {kind.name} {name}{where}"
        return self._connection.json(
            verb,
            f"{kind.root}{place}{path(*parts)}",
            query,
            asked=asked,
            body=body,
            content=content,
        )


_WORDS: dict[Verb, str] = {
    "GET": "read of",
    "POST": "creation of",
    "PUT": "replacement of",
    "PATCH": "change of",
    "DELETE": "deletion of",
}


def _query(dry_run: bool) -> dict[str, str | int | bool]:
    query: dict[str, str | int | bool] = {"fieldManager": FIELD_MANAGER}
    return query | ({"dryRun": "All"} if dry_run else {})
