"""Everything that can be read of a cluster: the only handle that probes and the ingestor have.

It asks with the identity that reads, can send nothing but GET and questions about permissions,
and knows no path to exec, attach, port-forward, proxy or tokens. Values of Secrets end here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiops.errors import ToolFailed
from aiops.model.tool import Unread
from aiops_tools.kubernetes.connection import Connection, path
from aiops_tools.kubernetes.kinds import NAMESPACE, Kind
from aiops_tools.kubernetes.sealed import Api, sealed

PAGE = 500
MOST = 5000
"""Objects of one kind that are read for one answer."""
LOG_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects of a kind.

    Attributes:
        after: names the next page; "" where this is the last.
        remaining: objects after this page, where the API says so.
    """

    items: tuple[Api, ...]
    after: str = ""
    remaining: int | None = None


@dataclass(frozen=True, slots=True)
class May:
    """What the cluster says to "may I?"."""

    allowed: bool
    reason: str


class Reader:
    """Reads one cluster; safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.cluster = connection.cluster

    def one(self, kind: Kind, namespace: str | None, name: str) -> Api:
        """One object. Raises ToolFailed."""
        where = f" in {namespace}" if kind.namespaced else ""
        found = self._connection.json(
            "GET", _collection(kind, namespace) + path(name), asked=f"{kind.name} {name}{where}"
        )
        return sealed(found, kind)

    def page(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = PAGE,
        after: str = "",
    ) -> Page:
        """Objects of a kind in a namespace, or in all. Raises ToolFailed."""
        where = f" in {namespace}" if namespace and kind.namespaced else ""
        query: dict[str, str | int | bool] = {"limit": limit}
        query |= {"labelSelector": labels} if labels else {}
        query |= {"fieldSelector": fields} if fields else {}
        query |= {"continue": after} if after else {}
        found = self._connection.json(
            "GET", _collection(kind, namespace), query, asked=f"list of {kind.plural}{where}"
        )
        metadata = found.get("metadata") or {}
        items = tuple(sealed(one, kind) for one in found.get("items") or ())
        return Page(items, metadata.get("continue") or "", metadata.get("remainingItemCount"))

    def every(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> list[Api]:
        """All objects of a kind, page by page, but no more than ``MOST``. Raises ToolFailed."""
        found: list[Api] = []
        for page in self._pages(kind, namespace, labels, fields):
            found += page.items
        return found

    def some(
        self,
        kind: Kind,
        unread: list[Unread],
        namespace: str | None = None,
        *,
        labels: str = "",
        fields: str = "",
    ) -> list[Api]:
        """As ``every``, for what an answer can do without: what fails is noted in ``unread``."""
        found: list[Api] = []
        where = f" in {namespace}" if namespace else ""
        try:
            for page in self._pages(kind, namespace, labels, fields):
                found += page.items
                if len(found) >= MOST and page.after:
                    unread.append(
                        Unread(f"{kind.plural}{where}", f"there are more than the {MOST} read")
                    )
        except ToolFailed as failure:
            unread.append(Unread(f"{kind.plural}{where}", str(failure)))
        return found

    def log(
        self,
        namespace: str,
        pod: str,
        *,
        container: str = "",
        tail: int = 200,
        since_s: int | None = None,
        previous: bool = False,
    ) -> str:
        """The last lines of a container, each after its time. Raises ToolFailed."""
        query: dict[str, str | int | bool] = {
            "tailLines": tail,
            "limitBytes": LOG_BYTES,
            "timestamps": True,
        }
        query |= {"container": container} if container else {}
        query |= {"sinceSeconds": since_s} if since_s else {}
        query |= {"previous": True} if previous else {}
        which = f"log of pod {pod}" + (f", container {container}" if container else "")
        found = self._connection.ask(
            "GET",
            path("api", "v1", "namespaces", namespace, "pods", pod, "log"),
            query,
            asked=f"{which} in {namespace}",
            accept="*/*",
        )
        return found.decode("utf-8", "replace")

    def may(self, attributes: dict[str, str]) -> May:
        """Whether the identity that reads may do that: SelfSubjectAccessReview. Raises ToolFailed.

        Args:
            attributes: verb, group, resource, subresource, namespace, name.
        """
        found = self._connection.json(
            "POST",
            path("apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"),
            asked="review of own access",
            body={
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            },
        )
        status: dict[str, Any] = found.get("status") or {}
        return May(bool(status.get("allowed")), str(status.get("reason") or ""))

    def version(self) -> str:
        """The version of the API server. Raises ToolFailed."""
        found = self._connection.json("GET", path("version"), asked="version")
        return str(found.get("gitVersion") or "unknown")

    def namespaces(self) -> list[str]:
        """All names of namespaces. Raises ToolFailed."""
        return sorted(one["metadata"]["name"] for one in self.every(NAMESPACE))

    def close(self) -> None:
        """Give connections back."""
        self._connection.close()

    def _pages(self, kind: Kind, namespace: str | None, labels: str, fields: str) -> Iterator[Page]:
        after, read = "", 0
        while read < MOST:
            page = self.page(kind, namespace, labels=labels, fields=fields, after=after)
            yield page
            read, after = read + len(page.items), page.after
            if not after:
                return


def _collection(kind: Kind, namespace: str | None) -> str:
    place = path("namespaces", namespace) if kind.namespaced and namespace is not None else ""
    return f"{kind.root}{place}{path(kind.plural)}"
