"""The recordings of our own that ship with the code: in a checkout, and inside the wheel."""

from pathlib import Path
from typing import Final

from aiops.errors import InvalidInput

DEMO: Final = "lab-demo"
"""The set that `aiops demo` replays."""
_PACKAGE: Final = Path(__file__).parent
_PLACES: Final = (_PACKAGE / "_recorded", _PACKAGE.parent)


class NotBundled(InvalidInput):
    """The recordings are not where this code was installed."""

    def __init__(self) -> None:
        super().__init__(
            f"the recordings of {DEMO} are missing beside {_PACKAGE}; install aiops again"
        )


def root() -> Path:
    """The folder that holds the set DEMO; raises NotBundled."""
    for place in _PLACES:
        if (place / DEMO).is_dir():
            return place
    raise NotBundled
