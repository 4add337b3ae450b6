"""Answers that go on: watches and logs."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping

from aiops.errors import NotKept
from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.answers import Answer, shaped
from aiops_lab.kubernetes.cluster import Cluster, moment_of
from aiops_lab.kubernetes.reading import Choice, seen
from aiops_lab.kubernetes.request import Target
from aiops_lab.kubernetes.store import Change, Kept, Object

BOOKMARK_S = 10.0
LONGEST_S = 1800.0


class _Inbox:
    """Changes on their way from the store's writers to one watcher."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._changes = loop, deque[Change]()
        self._arrived = asyncio.Event()

    def put(self, change: Change) -> None:
        self._changes.append(change)
        self._loop.call_soon_threadsafe(self._arrived.set)

    async def get(self, within_s: float) -> list[Change]:
        if not self._changes:
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), within_s)
            except TimeoutError:
                return []
        taken = []
        while self._changes:
            taken.append(self._changes.popleft())
        return taken


def watch(
    cluster: Cluster, wanted: Choice, query: Mapping[str, str], how: Answer
) -> AsyncIterator[bytes]:
    """Changes as lines of JSON, from a revision on or from what is there now.

    Raises:
        HistoryGone: the revision is older than what is kept.
        Refused: 400 where it is no revision.
    """
    try:
        since = int(query.get("resourceVersion") or 0)
        longest_s = float(query.get("timeoutSeconds") or LONGEST_S)
    except ValueError as wrong:
        raise problems.bad_request("resourceVersion and timeoutSeconds are numbers") from wrong
    if since > cluster.store.revision:
        raise problems.Refused(
            504,
            "Timeout",
            f"Too large resource version: {since}, current: {cluster.store.revision}",
        )
    inbox = _Inbox(asyncio.get_running_loop())
    with cluster.store.lock:
        present = [] if since else cluster.store.select(wanted.kind.resource, wanted.namespace)
        revision = cluster.store.revision
        stop = cluster.store.listen(inbox.put, since=since or None)
    first = [("ADDED", kept) for kept in present if wanted.chooses(kept)]
    return _events(cluster, wanted, inbox, first, revision, longest_s, query, how, stop)


async def _events(
    cluster: Cluster,
    wanted: Choice,
    inbox: _Inbox,
    first: list[tuple[str, Kept]],
    revision: int,
    longest_s: float,
    query: Mapping[str, str],
    how: Answer,
    stop: Callable[[], None],
) -> AsyncIterator[bytes]:
    bookmarks = query.get("allowWatchBookmarks") in ("true", "1")
    end = asyncio.get_running_loop().time() + longest_s
    try:
        for type_, kept in first:
            yield _line(type_, _show(wanted, kept, how))
        if bookmarks and query.get("sendInitialEvents") in ("true", "1"):
            yield _bookmark(wanted, revision, initial=True)
        while (left := end - asyncio.get_running_loop().time()) > 0:
            changes = await inbox.get(min(left, BOOKMARK_S))
            for change in changes:
                found = seen(change, wanted)
                if found is not None:
                    yield _line(found[0], _show(wanted, found[1], how))
            if not changes and bookmarks:
                yield _bookmark(wanted, cluster.store.revision)
    finally:
        stop()


def _show(wanted: Choice, kept: Kept, how: Answer) -> bytes:
    if how.form == "object":
        return wanted.encode(kept)
    return json.dumps(shaped(wanted.kind, kept.object, how)).encode()


def _line(type_: str, obj: bytes) -> bytes:
    return b'{"type":"' + type_.encode() + b'","object":' + obj + b"}\n"


def _bookmark(wanted: Choice, revision: int, *, initial: bool = False) -> bytes:
    metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
    if initial:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    kind = wanted.kind
    obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
    return _line("BOOKMARK", json.dumps(obj).encode())


def pod_logs(cluster: Cluster, wanted: Target, query: Mapping[str, str]) -> Iterator[bytes]:
    """The lines of one container.

    Raises:
        Refused: 404 without the pod, 400 without the container, a previous run, or any process.
    """
    pod = cluster.find("pods", wanted.namespace, wanted.name)
    if pod is None:
        raise problems.not_found(wanted.kind, wanted.name)
    names = [container["name"] for container in pod["spec"]["containers"]]
    container = query.get("container") or names[0]
    title = wanted.name
    if not query.get("container") and len(names) > 1:
        raise problems.bad_request(
            f"a container name must be specified for pod {title}, "
            f"choose one of: [{' '.join(names)}]"
        )
    if container not in names:
        raise problems.bad_request(f"container {container} is not valid for pod {title}")
    try:
        tail = int(query["tailLines"]) if "tailLines" in query else None
        since_s = _since(cluster, query)
        most = int(query["limitBytes"]) if "limitBytes" in query else None
    except ValueError as wrong:
        raise problems.bad_request(f"tailLines, sinceSeconds, limitBytes: {wrong}") from wrong
    previous = query.get("previous") in ("true", "1")
    try:
        lines = cluster.runtime.logs(
            pod["metadata"]["uid"],
            container,
            previous=previous,
            tail=tail,
            since_s=since_s,
            follow=query.get("follow") in ("true", "1"),
        )
    except NotKept as missing:
        if previous:
            text = f'previous terminated container "{container}" in pod "{title}" not found'
        else:
            text = (
                f'container "{container}" in pod "{title}" is waiting to start: ContainerCreating'
            )
        raise problems.bad_request(text) from missing
    timestamps = query.get("timestamps") in ("true", "1")
    return _limited(lines if timestamps else map(_without_time, lines), most)


def _since(cluster: Cluster, query: Mapping[str, str]) -> float | None:
    if "sinceSeconds" in query:
        return float(query["sinceSeconds"])
    if "sinceTime" in query:
        return (cluster.clock.now() - moment_of(query["sinceTime"])).total_seconds()
    return None


def _without_time(line: bytes) -> bytes:
    return line.partition(b" ")[2]


def _limited(lines: Iterator[bytes], most: int | None) -> Iterator[bytes]:
    for line in lines:
        if most is not None and len(line) >= most:
            yield line[:most]
            return
        if most is not None:
            most -= len(line)
        yield line
