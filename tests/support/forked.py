"""Processes for tests that kill them, forked from one that has imported what they run."""

import multiprocessing
import os
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

_RUN = ["killable_worker", "filed_shelf"]


@cache
def context() -> ForkServerContext:
    """Starts processes in milliseconds; the one that they are forked from runs from here on.

    CPython 3.11 does not hand ``sys.path`` on to it, and says nothing of a module that it does not
    find: without the path every process would import all of its own again, a second each.
    """
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload(_RUN)
    before = os.environ.get("PYTHONPATH")
    ours = str(Path(__file__).parent)
    os.environ["PYTHONPATH"] = ours if before is None else os.pathsep.join((ours, before))
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return start
