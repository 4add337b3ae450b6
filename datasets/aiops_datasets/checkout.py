"""At which commit a file of ours was checked out: for the headers of what we measure and record."""

import shutil
import subprocess
from pathlib import Path


def commit(file: Path) -> str | None:
    """The commit of the repository that tracks ``file``; None outside a checkout."""
    git = shutil.which("git")
    if git is None:
        return None
    # A virtual environment may lie inside somebody else's repository: is this file tracked?
    for arguments in (["ls-files", "--error-unmatch", file.name], ["rev-parse", "HEAD"]):
        run = subprocess.run(
            [git, "-C", str(file.parent), *arguments], capture_output=True, text=True, check=False
        )
        if run.returncode != 0:
            return None
    return run.stdout.strip()
