"""``aiops lab`` as a person runs it: the command, and a lab in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from small_lab import PATIENCE_S, written

_AIOPS = Path(sys.executable).with_name("aiops")


def aiops(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """``aiops lab`` with the arguments, to its end."""
    return subprocess.run(
        [_AIOPS, "lab", *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


@contextmanager
def up(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A small lab, ready; killed where a test leaves it running."""
    topology = written(next(above for above in folder.parents if above.exists()))
    whole = [_AIOPS, "lab", "up", "--dir", folder, "--topology", topology, *arguments]
    with subprocess.Popen(whole, stdout=subprocess.PIPE, text=True) as lab:
        try:
            assert lab.stdout is not None
            assert "pods ready after" in lab.stdout.readline()
            yield lab
        finally:
            lab.kill()
