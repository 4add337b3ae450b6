"""Actions of the Kubernetes toolset, called the way the gateway calls them."""

import asyncio
import json
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

from aiops.model.tool import Caller, Preview, ToolResult, Verified
from aiops.ports.tools import Progress, ToolContext, Writing
from aiops_tools.kubernetes.actions import actions
from aiops_tools.kubernetes.connection import Connection
from aiops_tools.kubernetes.kinds import kind_named
from aiops_tools.kubernetes.options import ClusterOptions
from aiops_tools.kubernetes.state_hash import state_hash
from aiops_tools.kubernetes.writer import Writer

CLUSTER, TOOLSET = "lab", "kubernetes"
T = TypeVar("T")


def writer(kubeconfig: Path, other: Path) -> Writer:
    """To the lab, as the user of ``kubeconfig``; ``other`` is who reads."""
    options = ClusterOptions(cluster=CLUSTER, kubeconfig=other, write_kubeconfig=kubeconfig)
    return Writer(Connection(options, options.writer, "write"))


class Hands:
    """Every action by its verb, over one writer."""

    def __init__(self, writer: Writer, namespace: str, rollout_s: float = 100.0) -> None:
        self.writer, self.namespace = writer, namespace
        self.tools: Sequence[Writing] = actions(TOOLSET, writer, rollout_s)
        self.told: list[Progress] = []
        caller = Caller("tester", "executor", "run-1")
        self._context = ToolContext("call-1", "key-1", caller, self.told.append)

    def tool(self, verb: str) -> Writing:
        return next(one for one in self.tools if one.spec.name == f"{TOOLSET}.{verb}")

    def preview(self, verb: str, **arguments: Any) -> Preview:
        return _run(self.tool(verb).preview(self._whole(arguments), self._context))

    def apply(self, verb: str, preview: Preview, **arguments: Any) -> ToolResult:
        return _run(self.tool(verb).apply(self._whole(arguments), preview, self._context))

    def verify(self, verb: str, preview: Preview, **arguments: Any) -> Verified:
        return _run(self.tool(verb).verify(self._whole(arguments), preview, self._context))

    def do(self, verb: str, **arguments: Any) -> Preview:
        """All three; fails the test where it is not verified."""
        preview = self.preview(verb, **arguments)
        self.apply(verb, preview, **arguments)
        verified = self.verify(verb, preview, **arguments)
        assert verified.reached, f"{verb}: {verified.seen}"
        return preview

    def take_back(self, preview: Preview) -> Preview:
        """What the preview said would bring back what was before."""
        assert preview.undo is not None
        verb = preview.undo.tool.partition(".")[2]
        return self.do(verb, **json.loads(preview.undo.arguments))

    def hash(self, kind: str, name: str) -> str:
        """The state hash of an object as it is now."""
        found = kind_named(kind)
        return state_hash(
            self.writer.one(found, self.namespace if found.namespaced else None, name)
        )

    def _whole(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"cluster": CLUSTER, **arguments}


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)
