"""A toolset whose cluster is a file, which many processes change; one may die of it."""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from threading import Event
from typing import Any

from belt import Cluster, Read, Scale, schema, spec

from aiops import plugins
from aiops.bootstrap.durable import durable
from aiops.bootstrap.tools import GROUP
from aiops.bootstrap.working import handlers
from aiops.jobs.leased import LeasedJobs
from aiops.model.canonical import canonical
from aiops.model.tool import ToolResult
from aiops.ports.tools import Tool
from aiops.settings import Settings
from aiops.store.sql.engine import open_engine
from aiops.store.sql.jobs import SqlJobs

LEASE_S = 0.5


@dataclass
class Filed(Cluster):
    """Keeps replicas and every write in a file.

    Attributes:
        dies: "before" or "after" a change, "" never: then its process is killed.
    """

    file: Path = Path()
    dies: str = ""

    def at(self, name: str) -> int:
        """See Cluster."""
        self.replicas = json.loads(self.file.read_text())["replicas"]
        return super().at(name)

    def put(self, name: str, replicas: int) -> None:
        """See Cluster."""
        if self.dies == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        kept = json.loads(self.file.read_text())
        kept["replicas"][name] = replicas
        kept["writes"].append([name, replicas])
        self.file.write_text(json.dumps(kept))
        if self.dies == "after":
            os.kill(os.getpid(), signal.SIGKILL)


LONG = tuple(f"pod-{number:04d} is ready on node-{number % 7}" for number in range(2_000))
"""What "shelf.list" answers: more than is told at once."""


class FiledShelf:
    """The Toolset "shelf": "shelf.scale" changes its file, "shelf.list" has much to tell."""

    def __init__(self, name: str, file: Path, dies: str) -> None:
        self.name = name
        own = spec(
            f"{name}.scale",
            schema(replicas={"type": "integer", "minimum": 0, "maximum": 100}),
            effect="write",
            capability="executor",
            risk="medium",
        )
        self._scale = Scale(Filed(file=file, dies=dies), own)
        told = ToolResult(canonical({"lines": list(LONG)}), "2,000 pods")
        self._list = Read(spec(f"{name}.list", schema()), lambda _: told)

    @classmethod
    def connect(cls, name: str, options: Mapping[str, Any], service: object) -> "FiledShelf":
        """See Toolset."""
        del service
        return cls(name, Path(options["file"]), options.get("dies", ""))

    def tools(self) -> Sequence[Tool]:
        """See Toolset."""
        return (self._scale, self._list)

    def check(self) -> str:
        """See Toolset."""
        return "a file"

    def close(self) -> None:
        """See Toolset."""


def install() -> None:
    """Let this process know the kind, as an installed package would."""
    plugins.names(GROUP)
    plugins._group(GROUP)["shelf"] = EntryPoint("shelf", "filed_shelf:FiledShelf", GROUP)


def uninstall() -> None:
    """Forget it again."""
    plugins._group(GROUP).pop("shelf")


def settings(url: str, file: Path, dies: str = "", **gateway: Any) -> Settings:
    """Of a service that approves, with the shelf."""
    shelf = {"kind": "shelf", "file": str(file), "dies": dies}
    return Settings(
        database_url=url, tools={"shelf": shelf}, gateway={"mode": "approve", **gateway}
    )


def work(url: str, file: Path, dies: str) -> None:
    """A worker: the real handlers on a queue whose leases are short; until it is killed."""
    install()
    with durable(settings(url, file, dies)) as service:
        queue = LeasedJobs(
            SqlJobs(open_engine(url), service.clock), service.clock, service.ids, lease_s=LEASE_S
        )
        queue.work(handlers(service), Event())


def written(file: Path) -> list[list[object]]:
    """Every change so far."""
    found: list[list[object]] = json.loads(file.read_text())["writes"]
    return found


def new(file: Path) -> Path:
    """A shelf with three of web."""
    file.write_text(json.dumps({"replicas": {"web": 3}, "writes": []}))
    return file
