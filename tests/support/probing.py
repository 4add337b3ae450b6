"""Probes of a cluster, asked as the gateway asks them."""

import asyncio
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiops.model.tool import Caller, ToolResult
from aiops.ports.tools import ToolContext
from aiops.toolbelt.schemas import Schemas
from aiops_tools.kubernetes import options
from aiops_tools.kubernetes.connection import Connection
from aiops_tools.kubernetes.probes import probes
from aiops_tools.kubernetes.reader import Reader

CLUSTER = "here"
TOKEN_CHARACTERS = 3
"""Characters of JSON that make a token, at the least: names and numbers are cut small."""


class Asking:
    """Every probe on one cluster; arguments and results are held against their schemas."""

    def __init__(
        self,
        kubeconfig: Path,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        **more: object,
    ) -> None:
        given = {"cluster": CLUSTER, "kubeconfig": str(kubeconfig), **more}
        chosen = options.read("tools", "kubernetes", given, options.ClusterOptions)
        self.reader = Reader(Connection(chosen, chosen.reader, "read"))
        self.tools = {one.spec.name: one for one in probes("kubernetes", self.reader, now)}
        self._schemas = {name: Schemas(one.spec) for name, one in self.tools.items()}

    def result(self, verb: str, arguments: Mapping[str, Any]) -> ToolResult:
        tool, schemas = self.tools[f"kubernetes.{verb}"], self._schemas[f"kubernetes.{verb}"]
        asked = {"cluster": CLUSTER, **arguments}
        schemas.check_arguments(asked)
        context = ToolContext("c1", "k1", Caller("test", "probe", "r1"), lambda _: None)
        found = asyncio.run(tool.read(asked, context))
        schemas.check_result(found.content)
        return found

    def __call__(self, verb: str, /, **arguments: Any) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.result(verb, arguments).content)
        return content

    def close(self) -> None:
        self.reader.close()


def kubeconfig(folder: Path, url: str) -> Path:
    """A kubeconfig of the server at ``url``."""
    path = folder / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": url}}],
                "users": [{"name": "u", "user": {"token": "t0ken"}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    return path
