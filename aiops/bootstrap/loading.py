"""What only investigations need, loaded before the first of them: it takes over a second."""

import gc
import warnings
from importlib import import_module
from threading import Thread
from typing import Final

from aiops import plugins
from aiops.settings import Settings

TRANSPORTS: Final = "aiops.transports"
"""The group of how agents reach the gateway."""
LATER: Final = ("aiops.agents.graph", "pyarrow", "pandas", "scipy.special")
"""Modules that are imported where they are used, and that every investigation uses. PyArrow itself
imports pandas with the first array that it makes."""


def in_the_background(settings: Settings) -> Thread:
    """``load_ahead`` in a thread that nobody waits for; it is not started yet."""
    # requests silences this while it is imported, but filters belong to the process: another thread
    # that puts its own back meanwhile lets it through, to people who cannot do anything about it.
    warnings.filterwarnings("ignore", message="SOCKS support in urllib3")
    return Thread(target=load_ahead, args=(settings,), name="libraries", daemon=True)


def load_ahead(settings: Settings) -> None:
    """Import them; who needs one meanwhile waits for just it."""
    for name in LATER:
        import_module(name)
    if settings.tools or settings.mcp:
        for name in plugins.names(TRANSPORTS):
            plugins.load(TRANSPORTS, name)
    settle()


def settle() -> None:
    """Leave what was made so far out of garbage collection, once a process has come up.

    It stays until the end, and looking through it stops every thread for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
