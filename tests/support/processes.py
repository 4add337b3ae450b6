"""Processes that tests start are over, and waited for, when their test is."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def over_at_the_end(*started: subprocess.Popen[Any]) -> Iterator[None]:
    """Whatever happens meanwhile, each of them is killed and waited for; what it said is read."""
    try:
        yield
    finally:
        for each in started:
            each.kill()
        for each in started:
            each.communicate()
