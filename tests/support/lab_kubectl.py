"""The lab's API served on loopback, and the kubectls of this machine to ask it with."""

import os
import random
import secrets
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from aiops.store.clock import SystemClock
from aiops_lab.kubernetes.no_processes import NoProcesses
from aiops_lab.kubernetes.server import KubernetesApi, Parts

FIXTURES = Path(os.environ.get("AIOPS_DATASETS", "../shared/datasets")).parent / "fixtures"


def kubectls() -> list[str]:
    """The programs to try: the one on the PATH, and those AIOPS_KUBECTLS names.

    It names programs or the folders they are in, with colons between them.
    """
    named = [Path(name) for name in os.environ.get("AIOPS_KUBECTLS", "").split(":") if name]
    found = [str(path / "kubectl" if path.is_dir() else path) for path in named]
    return list(dict.fromkeys([*filter(None, [shutil.which("kubectl")]), *found]))


@dataclass(frozen=True, slots=True)
class Kubectl:
    """A kubectl on one namespace of a cluster; fails the test where it fails."""

    program: str
    config: Path
    namespace: str

    def __call__(self, *arguments: str, text: str = "") -> str:
        done = subprocess.run(
            [self.program, "--kubeconfig", str(self.config), "-n", self.namespace, *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            env={"HOME": str(self.config.parent), "PATH": os.environ["PATH"]},
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {said}"
        return said


class Served:
    """An API server with objects only."""

    def __init__(self, folder: Path) -> None:
        clock = SystemClock()
        parts = Parts(
            NoProcesses(clock),
            clock,
            lambda: str(uuid.uuid4()),
            lambda: secrets.token_urlsafe(16),
            random.Random(0),  # noqa: S311 - names only
        )
        self.folder = folder
        self.api = KubernetesApi(parts, folder)
        self.api.start()

    def run(
        self, program: str, command: str, *more: str, user: str = "admin", text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a kubectl command; words in `command` are split at blanks."""
        arguments = [
            program,
            "--kubeconfig",
            str(self.api.kubeconfig(user)),
            *command.split(),
            *more,
        ]
        return subprocess.run(
            arguments,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            env={"HOME": str(self.folder), "PATH": os.environ["PATH"]},
        )

    def stop(self) -> None:
        self.api.stop()
