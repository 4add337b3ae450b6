"""Structured logs: one JSON object a line on standard output."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiops_lab.pods.traces import Exporter, Trace
    from aiops_lab.pods.wall import Wall


class Journal:
    """Writes log lines, and hands them to the exporter of logs."""

    def __init__(
        self, service: str, pod: str, exporter: Exporter, wall: Wall, *, debug: bool
    ) -> None:
        self._common = {"service": service, "pod": pod}
        self._exporter, self._wall, self._debug = exporter, wall, debug

    def debug(self, message: str, trace: Trace | None = None, **fields: str | float) -> None:
        """For who looks closely; written where LOG_LEVEL is debug."""
        if self._debug:
            self._write("debug", message, trace, fields)

    def info(self, message: str, trace: Trace | None = None, **fields: str | float) -> None:
        """What happened."""
        self._write("info", message, trace, fields)

    def warning(self, message: str, trace: Trace | None = None, **fields: str | float) -> None:
        """What went wrong and was got over."""
        self._write("warning", message, trace, fields)

    def error(self, message: str, trace: Trace | None = None, **fields: str | float) -> None:
        """What failed."""
        self._write("error", message, trace, fields)

    def _write(
        self, level: str, message: str, trace: Trace | None, fields: dict[str, str | float]
    ) -> None:
        now = self._wall.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"ts": now, "level": level, "msg": message, **self._common, **fields}
        if trace is not None:
            line |= {"trace_id": trace.trace_id, "span_id": trace.span_id}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        self._exporter.log(level, message, trace)
