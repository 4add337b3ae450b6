"""A lab of objects only, in a process of its own as its users start it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from small_lab import PATIENCE_S, written

AIOPS = Path(sys.executable).with_name("aiops")


@contextmanager
def objects_lab(folder: Path) -> Iterator[Path]:
    """The small topology's objects, served; gives the folder of the kubeconfigs."""
    command = [AIOPS, "lab", "up", "--objects-only", "--dir", folder / "lab"]
    command += ["--topology", written(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as lab:
        try:
            assert lab.stdout is not None
            assert lab.stdout.readline(), "the lab did not start"
            yield folder / "lab" / "kubernetes"
            lab.terminate()
            lab.wait(PATIENCE_S)
        finally:
            lab.kill()
