"""Prometheus, Alertmanager and ``aiops serve`` around one lab, so that its alerts find readers."""

from __future__ import annotations

import shutil
import socket
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING

from aiops.errors import InvalidInput
from aiops_lab.folder import MONITORING, TARGETS, CannotWrite
from aiops_lab.lab import PortInUse
from aiops_lab.watch.files import ALERTMANAGER, PROMETHEUS, Places, write_files
from aiops_lab.watch.keeper import Keeper, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from aiops_lab.lab import Lab

# Debian gives Alertmanager another name.
_NAMES = {
    "prometheus": ("prometheus",),
    "alertmanager": ("alertmanager", "prometheus-alertmanager"),
}
_MAIN = "import sys; from aiops.cli import main; sys.argv[0] = 'aiops'; main()"
_KEPT = "2h"


class NotInstalled(InvalidInput):
    """A program that watches the lab is not on the PATH."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"--with-monitoring runs {' and '.join(missing)}, not found on the PATH; install it "
            "(Debian: apt-get install prometheus prometheus-alertmanager), or leave the option out"
        )


class Monitoring:
    """The three programs; ports are held from the start, programs run from ``open`` to ``close``.

    Args:
        environment: what they start with, less the settings of any other aiops.
        port: of aiops on 127.0.0.1; 0: a free one.

    Raises:
        NotInstalled: a program is missing.
        PortInUse: the port is taken.
    """

    def __init__(self, environment: Mapping[str, str], port: int = 0) -> None:
        path = environment.get("PATH")
        found = {name: _which(names, path) for name, names in _NAMES.items()}
        self._programs = {name: program for name, program in found.items() if program}
        if missing := sorted(found.keys() - self._programs):
            raise NotInstalled(missing)
        self._environment = {
            name: value
            for name, value in environment.items()
            if not name.startswith(("AIOPS_", "OTEL_"))
        }
        self._held = ExitStack()
        self.places = Places(*(self._hold(wanted) for wanted in (port, 0, 0)))
        self._keeper: Keeper | None = None

    def _hold(self, port: int) -> str:
        """A base URL whose port nobody else is given.

        A bound socket that does not listen keeps the port from whoever asks for any free one; who
        asks for just this port, and sets SO_REUSEADDR as servers do, can listen on it.
        """
        holder = socket.socket()
        self._held.callback(holder.close)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:
            self._held.close()
            raise PortInUse(port, "--aiops-port") from None
        return f"http://127.0.0.1:{holder.getsockname()[1]}"

    def open(self, lab: Lab, stopped: Callable[[], bool] = lambda: False) -> None:
        """Watch a lab that is ready; returns when every program answers.

        Raises:
            CannotWrite: their files cannot be written.
            ProgramFailed: one does not come up.
        """
        folder = lab.folder.path / MONITORING
        try:
            folder.mkdir(exist_ok=True)
            admin = lab.orchestrator.kubeconfig if find_spec("kubernetes") else None
            write_files(
                folder,
                self.places,
                lab.topology.entry,
                lab.folder.path / TARGETS,
                None if admin is None else admin.parent.resolve(),
            )
        except OSError as error:
            raise CannotWrite(folder, error.strerror or str(error)) from None
        self._keeper = Keeper(self._commands(folder))
        lab.programs = self._keeper.status
        self._keeper.open()
        self._keeper.wait_ready(stopped=stopped)

    def _commands(self, folder: Path) -> tuple[Program, ...]:
        places, programs = self.places, self._programs
        address = {name: url.removeprefix("http://") for name, url in _urls(places)}
        port = address["aiops"].rpartition(":")[2]
        aiops = (sys.executable, "-c", _MAIN, "serve", "--dev", "--port", port)
        manager = (
            programs["alertmanager"],
            f"--config.file={ALERTMANAGER}",
            f"--web.listen-address={address['alertmanager']}",
            f"--storage.path={folder / 'alertmanager'}",
            "--cluster.listen-address=",  # one alone; else it opens a port on every address
        )
        prometheus = (
            programs["prometheus"],
            f"--config.file={PROMETHEUS}",
            f"--web.listen-address={address['prometheus']}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--storage.tsdb.retention.time={_KEPT}",
        )
        environment = self._environment
        return (
            Program("aiops", aiops, places.aiops, "/healthz", folder, environment),
            Program("alertmanager", manager, places.alertmanager, "/-/ready", folder, environment),
            Program("prometheus", prometheus, places.prometheus, "/-/ready", folder, environment),
        )

    def close(self) -> None:
        """End the programs, whoever raises alerts first, and let go of the ports."""
        if self._keeper is not None:
            self._keeper.close()
        self._held.close()


def _urls(places: Places) -> tuple[tuple[str, str], ...]:
    return (
        ("aiops", places.aiops),
        ("prometheus", places.prometheus),
        ("alertmanager", places.alertmanager),
    )


def _which(names: tuple[str, ...], path: str | None) -> str | None:
    return next((found for name in names if (found := shutil.which(name, path=path))), None)
