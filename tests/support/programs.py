"""Programs that a test needs beside Python: found on the PATH, or said to be missing."""

import os
import shutil

import pytest


def needed(*names: str) -> str:
    """The path of the first of these that is there; without any the test is skipped, but in CI."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        if os.environ.get("CI"):
            raise AssertionError(f"{names[0]} is not installed; .ci/run installs it")
        pytest.skip(f"{names[0]} is not installed")
    return found
