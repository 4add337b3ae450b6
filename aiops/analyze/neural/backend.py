"""torch, when it is asked for: the one place that imports it.

Typed ``Any``: torch is an extra, and neither the type checker nor the rest of aiops depends on it.
"""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiops.errors import AnalysisFailed

Tensor = Any


def load_torch() -> Any:
    """The torch module.

    Raises:
        AnalysisFailed: it is not installed; names the extra that brings it.
    """
    try:
        return importlib.import_module("torch")
    except ModuleNotFoundError as error:
        raise AnalysisFailed(
            "neural_granger: torch is not installed; install the extra with "
            "`pip install 'aiops[neural]'` or choose granger_pagerank"
        ) from error


def pick_device(torch: Any) -> str:
    """ "cuda" where there is one, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def one_thread(torch: Any) -> Iterator[None]:
    """Sums in one order, so that equal seeds give equal bits on machines with any number of cores.

    It costs little: the products are small, and threads that wait for one another on a busy
    machine took twenty times as long.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
