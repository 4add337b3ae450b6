"""What is logged meanwhile: by structlog, and by the libraries, down to their debug messages."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_QUIET: Final = ("asyncio",)


class _Kept(logging.Handler):
    """Keeps lines."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


@contextmanager
def logged() -> Iterator[list[str]]:
    """The lines, complete once the block has ended."""
    from structlog.testing import capture_logs

    root, handler = logging.getLogger(), _Kept()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with capture_logs() as events:
            yield handler.lines
        handler.lines += [str(event) for event in events]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
